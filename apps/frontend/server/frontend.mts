/** The HTTP server of pages and API: whom to believe, how much to take on, and how to leave. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  createServer as createAcceptor,
  type AddressInfo,
  type ListenOptions,
  type Server as Acceptor,
  type Socket,
} from "node:net";
import type { Duplex } from "node:stream";
import { json, COMMON_HEADERS, problem, refuse } from "./answer.mts";
import { Api, type ApiOptions } from "./api.mts";
import { STREAM_TIMEOUT_MS } from "./backend.mts";
import { settleForwarded } from "./client.mts";
import { Connections } from "./connections.mts";
import { depart } from "./departure.mts";
import { log } from "./log.mts";
import type { Metrics } from "./metrics.mts";
import { observe } from "./observe.mts";
import { Request } from "./request.mts";

export interface FrontendOptions {
  /** Answers whatever is no API, by GET or HEAD: see site.mts. */
  pages: (request: IncomingMessage, response: ServerResponse, path: string) => void | Promise<void>;
  /** Whether pages can be answered: asked by the readiness probe. */
  ready: () => boolean;
  api: ApiOptions;
  metrics: Metrics;
  /** Proxies in front that append to X-Forwarded-For. */
  trustedProxies: number;
  /** How long a connection may be idle, in milliseconds: longer than any proxy in front keeps it. */
  keepAlive: number;
  /** How long a client may take to send a whole request, in milliseconds. */
  requestTimeout: number;
  /** Connections at the same time, of which each costs some 20 KB; see connections.mts. */
  connections: number;
  /**
   * Sockets to listen with. libuv (since 1.45) takes one connection from a socket in each turn of
   * the event loop; while there is much to answer the turns are few, and probes would wait in the
   * queue.
   */
  acceptors: number;
}

const PAGE_METHODS = ["GET", "HEAD"];
const ALLOW = [...PAGE_METHODS, "OPTIONS"].join(", ");
const REFUSALS: Record<string, [number, string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, "The request took too long to arrive."],
  HPE_HEADER_OVERFLOW: [431, "The request's headers are too large."],
  HPE_INVALID_METHOD: [501, "The request's method is not known."],
};

/**
 * Returns the path as it will be compared, and with its query; null when it is malformed.
 *
 * Of other schemes than http, URL leaves a backslash as it is, which it later reads as a slash.
 */
function target(url: string): { path: string; full: string } | null {
  if (!/^(\/|https?:\/\/)/i.test(url)) return null;
  try {
    const { pathname, search } = new URL(url.startsWith("/") ? `http://frontend${url}` : url);
    decodeURIComponent(pathname);
    return { path: pathname, full: pathname + search };
  } catch {
    return null;
  }
}

/** A loop, because the pattern for it, \/+$, takes time in proportion to the square of the slashes. */
function withoutEndSlashes(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end--;
  return path.slice(0, end);
}

/** Answers requests: probes itself, /api from the backend, and all others with pages and files. */
export class Frontend {
  /** For tests, and for the web sockets of the development server. */
  readonly server: Server;
  readonly #acceptors: Acceptor[] = [];
  readonly #options: FrontendOptions;
  readonly #api: Api;
  readonly #connections: Connections;
  #stopping = false;

  constructor(options: FrontendOptions) {
    this.#options = options;
    this.#api = new Api(options.api);
    this.server = createServer(
      {
        IncomingMessage: Request,
        keepAliveTimeout: options.keepAlive,
        // Both count from a request's first byte, so idle connections outlive them.
        headersTimeout: options.requestTimeout,
        requestTimeout: options.requestTimeout,
        connectionsCheckingInterval: Math.ceil(Math.min(options.requestTimeout / 6, 5000)),
        requireHostHeader: false, // Node.js would refuse without a word
      },
      (request, response) => void this.#handle(request, response),
    );
    this.server.timeout = STREAM_TIMEOUT_MS + 20_000; // nothing sent, nothing read
    this.#connections = new Connections(this.server, options.connections);
    this.server.on("clientError", (error, socket) => this.#refuse(error, socket));
    // Without a listener Node.js answers the first without a word, and the second not at all.
    this.server.on("checkExpectation", (_, response: ServerResponse) => {
      problem(response, 417, "Nothing but 100-continue can be expected.", { connection: "close" });
    });
    this.server.on("connect", (_, socket) => this.#refuseTunnel(socket as Socket));
  }

  /** Listens; returns the port. */
  async listen(options: ListenOptions): Promise<number> {
    const { acceptors } = this.#options;
    let port = options.port;
    for (let number = 0; number < acceptors; number++) {
      const acceptor = number === 0 ? this.server : createAcceptor();
      if (number > 0) acceptor.on("connection", (socket) => this.server.emit("connection", socket));
      await new Promise<void>((resolve, reject) => {
        acceptor.once("error", reject);
        acceptor.listen({ ...options, port, reusePort: acceptors > 1 }, resolve);
      });
      port = (acceptor.address() as AddressInfo).port;
      this.#acceptors.push(acceptor);
    }
    return port ?? 0;
  }

  /** Answers what was accepted, and what still comes for a moment, each connection for the last time. */
  stop(): Promise<void> {
    this.#stopping = true;
    for (const answer of this.#connections.answers) {
      if (!answer.headersSent) answer.setHeader("connection", "close");
    }
    return depart(this.server, this.#acceptors, this.#connections);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#connections.accompany(response)) return;
    response.setMaxListeners(20); // connections, metrics, log, departure and pipeline all wait for its end
    this.#options.metrics.watch(request, response);
    if (this.#stopping) response.setHeader("connection", "close");
    try {
      await this.#route(request, response);
    } catch (error) {
      if (response.destroyed || response.writableEnded) return; // nobody is there, or it was refused
      const request_id = response.getHeader("x-request-id");
      log("request_failed", { request_id, path: request.url, reason: String(error) });
      if (response.headersSent) response.destroy();
      else problem(response, 500, "Something went wrong here. Please try again.");
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.httpVersion === "1.1" && request.headers.host === undefined) {
      problem(response, 400, "The request does not name its host.");
      return;
    }
    const found = target(request.url ?? "/");
    if (!found) {
      problem(response, 400, "The address is malformed.");
      return;
    }
    const { path, full } = found;
    const isProbe = path === "/api/health" || path === "/api/ready";
    if (path.startsWith("/api/") && !isProbe) {
      settleForwarded(request, this.#options.trustedProxies);
      observe(request, response, path);
      if (path.endsWith("/")) {
        const location = withoutEndSlashes(path) + full.slice(path.length);
        problem(response, 308, "The address has no slash at its end.", { location });
        return;
      }
      await this.#api.handle(request, response, full, departureOf(response));
      return;
    }
    if (!PAGE_METHODS.includes(request.method ?? "")) {
      this.#refuseMethod(request, response);
      return;
    }
    if (isProbe) {
      // Before anything that can be busy: an overloaded process is no dead one.
      if (path === "/api/ready" && this.#stopping) problem(response, 503, "Stopping.");
      else if (path === "/api/ready" && !this.#options.ready()) problem(response, 503, "Starting.");
      else json(response, 200, { status: "ok" });
      return;
    }
    await this.#options.pages(request, response, path);
  }

  /** Answers what Node.js could not read as a request, or not in time. */
  #refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
    const [status, detail] = REFUSALS[error.code ?? ""] ?? [400, "The request is malformed."];
    const pending = this.#connections.pending(socket);
    if (error.code === "ECONNRESET" || !socket.writable || pending?.headersSent) {
      socket.destroy();
    } else if (pending) {
      problem(pending, status, detail, { connection: "close" });
    } else {
      refuse(socket, status, detail);
    }
  }

  /** Ends a connection that Node.js has handed over, with all that it listened for and timed. */
  #refuseTunnel(socket: Socket): void {
    socket.on("error", () => {}); // the client has left; without a listener it would end the process
    if (this.#connections.pending(socket)) {
      socket.destroy(); // the refusal would be taken for the answer to what was asked before
      return;
    }
    socket.setTimeout(1000, () => socket.destroy());
    refuse(socket, 405, "CONNECT is not supported.", { allow: ALLOW });
    socket.resume();
  }

  #refuseMethod(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === "OPTIONS") response.writeHead(204, { ...COMMON_HEADERS, allow: ALLOW }).end();
    else problem(response, 405, `${request.method} is not supported here.`, { allow: ALLOW });
  }
}

/** Aborted as soon as the answer is sent or the client has left. */
function departureOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.on("close", () => controller.abort());
  return controller.signal;
}
