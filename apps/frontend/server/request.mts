import { IncomingMessage } from "node:http";

const UPGRADE = Symbol("upgrade");

/**
 * A request; none is made of what has arrived after the one at which its connection was ended.
 *
 * Node.js reads all that has arrived in one go, also after the connection has been ended, which may
 * be thousands of requests. It stops at one that asks for another protocol.
 */
export class Request extends IncomingMessage {
  declare [UPGRADE]: unknown; // set before a field would be initialized

  /** Whether what follows is no HTTP. Set by Node.js. */
  get upgrade(): unknown {
    return this.socket.destroyed || this[UPGRADE];
  }

  set upgrade(value: unknown) {
    this[UPGRADE] = value;
  }
}
