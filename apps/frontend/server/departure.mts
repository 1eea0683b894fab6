import type { Server, ServerResponse } from "node:http";
import type { Server as Acceptor } from "node:net";
import type { Duplex } from "node:stream";

/** How often to look, in milliseconds, and after how many looks without anything new it is quiet. */
const LOOK = 100;
const QUIET_LOOKS = 10;
/** Then the listening sockets close even if it never gets quiet; well before the pod is killed. */
const LONGEST_LOOKS = 100;

const look = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK));

/** Takes a server out of service without breaking off or refusing a request. */
export class Departure {
  begun = false;
  #arrivals = 0;
  readonly #server: Server;
  readonly #connections = new Set<Duplex>();
  readonly #answers = new Set<ServerResponse>();

  constructor(server: Server) {
    this.#server = server;
    server.on("connection", (connection: Duplex) => {
      this.#arrivals++;
      this.#connections.add(connection);
      connection.on("close", () => this.#connections.delete(connection));
    });
  }

  /** Notes an answer that is on its way; each one from now on ends its connection once leaving. */
  accompany(answer: ServerResponse): void {
    this.#arrivals++;
    if (this.begun) answer.setHeader("connection", "close");
    this.#answers.add(answer);
    answer.on("close", () => this.#answers.delete(answer));
  }

  /** The answer that a connection waits for. */
  pending(connection: Duplex): ServerResponse | undefined {
    return [...this.#answers].find((answer) => answer.socket === connection);
  }

  /**
   * Leaves once everything is answered.
   *
   * Connections wait in the kernel's queue that this process has not seen yet, and kept-alive ones
   * may have a request on its way: closing at once would reset both. So it goes on answering, and
   * ends each connection with its answer, until nothing has come for a second.
   */
  async leave(acceptors: Acceptor[]): Promise<void> {
    this.begun = true;
    for (const answer of this.#answers) {
      if (!answer.headersSent) answer.setHeader("connection", "close");
    }
    let quiet = 0;
    for (let looks = 0; looks < LONGEST_LOOKS && quiet < QUIET_LOOKS; looks++) {
      const before = this.#arrivals;
      await look();
      quiet = this.#arrivals === before ? quiet + 1 : 0;
    }
    for (const acceptor of acceptors) acceptor.close();
    while (this.#connections.size > 0) {
      this.#server.closeIdleConnections();
      await look();
    }
  }
}
