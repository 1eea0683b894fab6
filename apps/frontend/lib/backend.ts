/** Passes browser requests on to the backend, which only this server can reach. */

const MAXIMUM_BODY_BYTES = 64 * 1024;
const REQUEST_HEADERS = ["accept", "authorization", "content-type", "cookie", "x-request-id"];
const RESPONSE_HEADERS = ["cache-control", "content-type", "retry-after", "x-request-id"];
const TIMEOUT_MS = 30_000;
const STREAM_TIMEOUT_MS = 180_000;
const RETRY_DELAYS_MS = [150, 600];

export function problem(status: number, detail: string, headers?: HeadersInit): Response {
  return Response.json({ detail }, { status, headers });
}

/** Reads a small body; null when it is larger than the backend would accept. */
export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer> | null> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > MAXIMUM_BODY_BYTES) {
      await reader.cancel().catch(() => undefined);
      return null;
    }
    parts.push(value);
  }
  const body = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    body.set(part, offset);
    offset += part.byteLength;
  }
  return body;
}

export function forwardedHeaders(incoming: Headers): Headers {
  const headers = new Headers();
  for (const name of REQUEST_HEADERS) {
    const value = incoming.get(name);
    if (value !== null) headers.set(name, value);
  }
  // The nearest hop is the only address the client cannot have made up.
  const address = incoming.get("x-forwarded-for")?.split(",").at(-1)?.trim();
  if (address) headers.set("x-forwarded-for", address);
  // A connection of its own for each request: a backend that leaves during an update can close no
  // kept-alive connection under a request on its way, and the Service spreads requests evenly.
  headers.set("connection", "close");
  headers.set("x-forwarded-proto", incoming.get("x-forwarded-proto") === "https" ? "https" : "http");
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

export async function forward(request: Request, backendUrl = process.env.BACKEND_URL): Promise<Response> {
  if (request.headers.get("sec-fetch-site") === "cross-site") {
    return problem(403, "Requests from other sites are not allowed.");
  }
  const { pathname, search } = new URL(request.url);
  const hasBody = request.method !== "GET" && request.method !== "HEAD";
  const body = hasBody ? await readBody(request) : undefined;
  if (body === null) return problem(413, "The request body is too large.", { connection: "close" });
  const timeout = pathname === "/api/chat" ? STREAM_TIMEOUT_MS : TIMEOUT_MS;
  const target = new URL(pathname + search, backendUrl ?? "http://backend:8000");
  const init: RequestInit = {
    method: request.method,
    headers: forwardedHeaders(request.headers),
    body: body?.byteLength ? body : undefined,
    signal: AbortSignal.any([request.signal, AbortSignal.timeout(timeout)]),
    redirect: "manual",
    cache: "no-store",
  };
  let answer: Response | undefined;
  for (let attempt = 0; !answer; attempt++) {
    try {
      answer = await fetch(target, init);
    } catch (error) {
      const delay = RETRY_DELAYS_MS[attempt];
      if (delay !== undefined && !init.signal?.aborted && isRepeatable(request.method, error)) {
        await new Promise((resolve) => setTimeout(resolve, delay));
        continue;
      }
      if (!request.signal.aborted) {
        console.error(
          JSON.stringify({ event: "backend_unreachable", path: pathname, reason: causeOf(error) }),
        );
      }
      return problem(503, "The service is away for a moment. Please try again.", { "retry-after": "3" });
    }
  }
  const headers = new Headers();
  for (const name of RESPONSE_HEADERS) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  for (const cookie of answer.headers.getSetCookie()) headers.append("set-cookie", cookie);
  headers.set("cache-control", "no-store, no-transform"); // never held back to be compressed
  headers.set("x-content-type-options", "nosniff");
  return new Response(answer.body, { status: answer.status, headers });
}
