/** By what the lines of one request are found, in this service's log and in the backend's. */

import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { log } from "./log.mts";

/** What the backend takes for an id, too; anything else could be made to look like a line of a log. */
const WELL_FORMED = /^[A-Za-z0-9._-]{1,64}$/;
/** Of a path, in characters: no path of the API has more. */
const LONGEST = 256;
/** The client left before its answer was complete; the number that metrics and the backend have for it. */
const LEFT = 499;

/** Gives a request an id, which the backend and the answer get too, and logs a line when it is over. */
export function observe(request: IncomingMessage, response: ServerResponse, path: string): void {
  const given = String(request.headers["x-request-id"] ?? "");
  const id = WELL_FORMED.test(given) ? given : randomUUID().replaceAll("-", "");
  request.headers["x-request-id"] = id;
  response.setHeader("x-request-id", id);
  const begun = performance.now();
  response.on("close", () => {
    const status = response.writableFinished ? response.statusCode : LEFT;
    const ms = Math.round((performance.now() - begun) * 10) / 10;
    log("request", { request_id: id, method: request.method, path: path.slice(0, LONGEST), status, ms });
  });
}
