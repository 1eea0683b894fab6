import { STATUS_CODES, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Set on every answer; pages set more (security-headers.mts). */
export const COMMON_HEADERS = {
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
} as const;

/** Seconds after which to come again. Short: an answer costs some thousandths of a second. */
export const RETRY_AFTER = "2";

/** Answers with JSON. */
export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: OutgoingHttpHeaders = {},
): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...COMMON_HEADERS,
    "cache-control": "no-store",
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(response.req.method === "HEAD" ? undefined : text);
}

/** Answers with an error the way the whole API does. */
export function problem(
  response: ServerResponse,
  status: number,
  detail: string,
  headers?: OutgoingHttpHeaders,
): void {
  json(response, status, { detail }, headers);
}

/** Says that there is more to do than can be done. */
export function busy(response: ServerResponse): void {
  problem(response, 503, "There is too much to do at the moment. Please try again.", {
    "retry-after": RETRY_AFTER,
  });
}

/**
 * Says on a bare connection what is wrong, where Node.js has made no answer to fill in; ends it.
 *
 * The client may be gone: somebody has to listen for the connection's errors.
 */
export function refuse(
  socket: Duplex,
  status: number,
  detail: string,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify({ detail });
  const all = {
    ...COMMON_HEADERS,
    "content-type": "application/json",
    "content-length": text.length,
    connection: "close",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${text}`);
}
