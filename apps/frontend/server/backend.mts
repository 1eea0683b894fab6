/** Passes browser requests on to the backend, which only this server can reach. */

import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { log } from "./log.mts";

const REQUEST_HEADERS = [
  "accept",
  "authorization",
  "content-type",
  "cookie",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-request-id",
];
const RESPONSE_HEADERS = ["allow", "content-type", "retry-after", "www-authenticate", "x-request-id"];
const TIMEOUT_MS = 30_000;
/** Longest answer of the chat. */
export const STREAM_TIMEOUT_MS = 180_000;
const RETRY_DELAYS_MS = [150, 600];

export interface Question {
  method: string;
  /** Path with query, below /api/. */
  path: string;
  /** With the addresses settled: see client.mts. */
  headers: IncomingHttpHeaders;
  body?: Buffer<ArrayBuffer>;
  /** Aborted when the browser leaves. */
  signal: AbortSignal;
}

export interface Answer {
  status: number;
  headers: Record<string, string | string[]>;
  body: Readable | null;
}

function passedOn(incoming: IncomingHttpHeaders): Record<string, string> {
  // A connection of its own for each request: a backend that leaves during an update can close no
  // kept-alive connection under a request on its way, and the Service spreads requests evenly.
  const headers: Record<string, string> = { connection: "close" };
  for (const name of REQUEST_HEADERS) {
    const value = incoming[name];
    if (typeof value === "string") headers[name] = value;
  }
  return headers;
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause && typeof cause === "object" && "code" in cause ? String(cause.code) : String(error);
}

/** A request may be sent again when it never arrived, or when sending it twice changes nothing. */
function isRepeatable(method: string, error: unknown): boolean {
  return (
    method !== "POST" || ["ECONNREFUSED", "ENOTFOUND", "UND_ERR_CONNECT_TIMEOUT"].includes(causeOf(error))
  );
}

/** Asks the backend; null when it is away. */
async function ask(url: URL, question: Question): Promise<Response | null> {
  const timeout = url.pathname === "/api/chat" ? STREAM_TIMEOUT_MS : TIMEOUT_MS;
  const init: RequestInit = {
    method: question.method,
    headers: passedOn(question.headers),
    body: question.body?.length ? question.body : undefined,
    signal: AbortSignal.any([question.signal, AbortSignal.timeout(timeout)]),
    redirect: "manual",
  };
  for (let attempt = 0; ; attempt++) {
    try {
      return await fetch(url, init);
    } catch (error) {
      const delay = RETRY_DELAYS_MS[attempt];
      if (delay !== undefined && !init.signal?.aborted && isRepeatable(question.method, error)) {
        await new Promise((resolve) => setTimeout(resolve, delay));
        continue;
      }
      if (!question.signal.aborted) {
        const request_id = question.headers["x-request-id"];
        log("backend_unreachable", { request_id, path: url.pathname, reason: causeOf(error) });
      }
      return null;
    }
  }
}

/** Passes one request on; null when the backend is away. */
export async function forward(
  question: Question,
  backendUrl = process.env.BACKEND_URL ?? "http://backend:8000",
): Promise<Answer | null> {
  const answer = await ask(new URL(question.path, backendUrl), question);
  if (!answer) return null;
  const headers: Answer["headers"] = {};
  for (const name of RESPONSE_HEADERS) {
    const value = answer.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) headers["set-cookie"] = cookies;
  headers["cache-control"] = "no-store, no-transform"; // never held back to be compressed
  const body = answer.body && Readable.fromWeb(answer.body as ReadableStream<Uint8Array>);
  return { status: answer.status, headers, body };
}
