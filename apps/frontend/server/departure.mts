import type { Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** How often to look, in milliseconds, and after how many looks without anything new it is quiet. */
const LOOK = 100;
const QUIET_LOOKS = 10;
/** Then the listening socket closes even if it never gets quiet; well before the pod is killed. */
const LONGEST_LOOKS = 100;

/** Takes a server out of service without breaking off or refusing a request. */
export class Departure {
  begun = false;
  #arrivals = 0;
  readonly #server: Server;
  readonly #open = new Set<ServerResponse>();

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", () => this.#arrivals++);
  }

  /** Notes an answer that is on its way; each one from now on ends its connection once leaving. */
  accompany(response: ServerResponse): void {
    this.#arrivals++;
    if (this.begun) response.setHeader("connection", "close");
    this.#open.add(response);
    response.on("close", () => this.#open.delete(response));
  }

  /** The answer that a connection waits for. */
  pending(socket: Duplex): ServerResponse | undefined {
    return [...this.#open].find((response) => response.socket === socket);
  }

  /**
   * Leaves once everything is answered.
   *
   * Connections wait in the kernel's queue that this process has not seen yet, and kept-alive ones
   * may have a request on its way: closing at once would reset both. So it goes on answering, and
   * ends each connection with its answer, until nothing has come for a second.
   */
  async leave(): Promise<void> {
    this.begun = true;
    for (const response of this.#open) {
      if (!response.headersSent) response.setHeader("connection", "close");
    }
    let quiet = 0;
    for (let looks = 0; looks < LONGEST_LOOKS && quiet < QUIET_LOOKS; looks++) {
      const before = this.#arrivals;
      await new Promise((resolve) => setTimeout(resolve, LOOK));
      quiet = this.#arrivals === before ? quiet + 1 : 0;
    }
    const closed = new Promise((resolve) => this.#server.close(resolve));
    const idle = setInterval(() => this.#server.closeIdleConnections(), LOOK);
    await closed;
    clearInterval(idle);
  }
}
