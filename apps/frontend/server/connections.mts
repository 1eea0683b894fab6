import type { Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/**
 * The open connections, the one that was of use longest ago first.
 *
 * Beyond the allowed number each new one takes the place of the first that is waiting for its
 * client. So new clients, and the probes of Kubernetes, are always let in.
 *
 * Requests may be sent without waiting for answers (pipelining), which no browser does. Each costs
 * some 10 KB until its answer is taken, and what a connection has sent at once may be thousands. So
 * beyond as many as connections are allowed, one that has sent several is ended.
 */
export class Connections {
  /** Connections and requests so far. */
  arrivals = 0;
  readonly #most: number;
  readonly #open = new Map<Duplex, ServerResponse | null>();
  /** How many answers each connection waits for, and all together. */
  readonly #awaited = new Map<Duplex, number>();
  #allAwaited = 0;

  constructor(server: Server, most: number) {
    this.#most = most;
    server.on("connection", (connection: Duplex) => {
      this.arrivals++;
      if (this.#open.size >= this.#most) this.#makeRoom();
      this.#note(connection, null);
      connection.on("close", () => {
        this.#open.delete(connection);
        // Answers that were not begun hear nothing of it.
        this.#allAwaited -= this.#awaited.get(connection) ?? 0;
        this.#awaited.delete(connection);
      });
    });
  }

  get size(): number {
    return this.#open.size;
  }

  /** The answers on their way. */
  get answers(): ServerResponse[] {
    return [...this.#open.values()].filter((answer) => answer !== null);
  }

  /** The connections without an accepted request. */
  get silent(): Duplex[] {
    return [...this.#open].filter(([, answer]) => answer === null).map(([connection]) => connection);
  }

  /** Notes an answer that is on its way; false: there are too many, or nobody is there to take it. */
  accompany(answer: ServerResponse): boolean {
    this.arrivals++;
    const connection = answer.req.socket;
    if (connection.destroyed) return false;
    const awaited = this.#awaited.get(connection) ?? 0;
    if (awaited > 0 && this.#allAwaited >= this.#most) {
      connection.destroy();
      return false;
    }
    this.#awaited.set(connection, awaited + 1);
    this.#allAwaited++;
    this.#note(connection, answer);
    answer.on("close", () => {
      const left = this.#awaited.get(connection);
      if (left !== undefined) {
        this.#awaited.set(connection, left - 1);
        this.#allAwaited--;
      }
      if (this.#open.get(connection) === answer) this.#note(connection, null);
    });
    return true;
  }

  /** The answer that a connection waits for. */
  pending(connection: Duplex): ServerResponse | null {
    return this.#open.get(connection) ?? null;
  }

  #note(connection: Duplex, answer: ServerResponse | null): void {
    this.#open.delete(connection); // so that it becomes the last
    if (!connection.destroyed) this.#open.set(connection, answer);
  }

  #makeRoom(): void {
    for (const waits of [
      (answer: ServerResponse | null) => answer === null,
      (answer: ServerResponse | null) => !answer?.req.complete,
    ]) {
      for (const [connection, answer] of this.#open) {
        if (!waits(answer)) continue;
        this.#open.delete(connection);
        connection.destroy();
        return;
      }
    }
  }
}
