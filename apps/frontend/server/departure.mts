import type { Server } from "node:http";
import { Server as Acceptor } from "node:net";
import type { Duplex } from "node:stream";
import type { Connections } from "./connections.mts";

/** How often to look, in milliseconds, and after how many looks without anything new it is quiet. */
const LOOK = 100;
const QUIET_LOOKS = 10;
/** Then the listening sockets close even if it never gets quiet; well before the pod is killed. */
const LONGEST_LOOKS = 100;

const look = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, LOOK));

/**
 * Takes a server out of service once everything is answered.
 *
 * Connections wait in the kernel's queue that this process has not seen yet, and kept-alive ones
 * may have a request on its way: closing at once would reset both. So it goes on answering until
 * nothing has come for a second. Then connections without a request have to go, whether they are
 * kept alive, have sent half a head or nothing yet; a body has as much time as ever.
 */
export async function depart(server: Server, acceptors: Acceptor[], connections: Connections): Promise<void> {
  let quiet = 0;
  for (let looks = 0; looks < LONGEST_LOOKS && quiet < QUIET_LOOKS; looks++) {
    const before = connections.arrivals;
    await look();
    quiet = connections.arrivals === before ? quiet + 1 : 0;
  }
  // The close() of an HTTP server also ends its checks of how long requests take to arrive.
  for (const acceptor of acceptors) Acceptor.prototype.close.call(acceptor);
  let silent: Duplex[] = [];
  while (connections.size > 0) {
    // At the second look: what has reached this process by the first has been read since.
    for (const connection of silent) if (!connections.pending(connection)) connection.destroy();
    silent = connections.silent;
    await look();
  }
  server.close();
}
