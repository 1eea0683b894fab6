/** What Prometheus is told of the requests, on a port of its own, which is not published. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { Histogram, Registry } from "prom-client";

/** Few, so that nobody can make up series by asking for what does not exist. */
const ROUTES = ["/api/health", "/api/ready", "/api/chat", "/api", "/_next/static"];
const PROBES = new Set(["/api/health", "/api/ready"]);
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
/** The client left before its answer was complete; nginx's number for it, and the backend's. */
const LEFT = 499;

/** Returns the kind of what is asked for: the chat answers as slowly as a model does, so it is apart. */
export function routeOf(url: string): string {
  return ROUTES.find((route) => url.startsWith(route) && /^($|[/?])/.test(url.slice(route.length))) ?? "page";
}

/** Counts and times the requests: one series of a histogram does both. Probes are nobody's requests. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #seconds = new Histogram({
    name: "todo_frontend_http_request_duration_seconds",
    help: "Time until the answer was complete",
    labelNames: ["method", "route", "status"],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [this.#registry],
  });

  /** Notes a request once its answer is complete, or its client has left. */
  watch(request: IncomingMessage, response: ServerResponse): void {
    const route = routeOf(request.url ?? "/");
    if (PROBES.has(route)) return;
    const method = METHODS.has(request.method ?? "") ? request.method! : "other";
    const begun = performance.now();
    response.on("close", () => {
      const status = response.writableFinished ? response.statusCode : LEFT;
      this.#seconds.observe({ method, route, status }, (performance.now() - begun) / 1000);
    });
  }

  /** Returns a server that answers Prometheus, and nobody else's questions. */
  server(): Server {
    return createServer((request, response) => {
      if (request.url !== "/metrics") {
        response.writeHead(404).end();
        return;
      }
      void this.#registry.metrics().then((text) => {
        response.writeHead(200, { "content-type": this.#registry.contentType }).end(text);
      });
    });
  }
}
