import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { busy, COMMON_HEADERS, problem } from "./answer.mts";
import { forward, type Answer } from "./backend.mts";
import { BodyReader } from "./body.mts";
import { Gate, type GateOptions } from "./gate.mts";

const ALLOW = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

export interface ApiOptions {
  backendUrl?: string;
  gate: GateOptions;
  /** Bytes of unfinished request bodies beyond which only small ones are read on: see body.mts. */
  bodyRoom: number;
}

/** Answers /api/…: reads the request to its end, waits for its turn, and asks the backend. */
export class Api {
  readonly #gate: Gate;
  readonly #bodies: BodyReader;
  readonly #backendUrl: string | undefined;

  constructor({ backendUrl, gate, bodyRoom }: ApiOptions) {
    this.#backendUrl = backendUrl;
    this.#gate = new Gate(gate);
    this.#bodies = new BodyReader(bodyRoom);
  }

  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    gone: AbortSignal,
  ): Promise<void> {
    const method = request.method ?? "GET";
    if (method === "TRACE") {
      // Would echo the session's cookie; fetch() refuses to send it.
      problem(response, 405, "TRACE is not supported.", { allow: ALLOW });
      return;
    }
    if (request.headers["sec-fetch-site"] === "cross-site") {
      problem(response, 403, "Requests from other sites are not allowed.");
      return;
    }
    // The body comes first: who sends it slowly must not keep a turn from others.
    const body = await this.#bodies.read(request);
    if (body.state === "gone") return;
    if (body.state === "too large") problem(response, 413, "The request body is too large.");
    else if (body.state === "no room" || !(await this.#gate.enter(gone))) busy(response);
    else await this.#pass(request, response, { method, path, bytes: body.bytes, gone });
  }

  async #pass(
    request: IncomingMessage,
    response: ServerResponse,
    { method, path, bytes, gone }: { method: string; path: string; bytes: Buffer; gone: AbortSignal },
  ): Promise<void> {
    const question = {
      method: method === "HEAD" ? "GET" : method,
      path,
      headers: request.headers,
      body: method === "GET" || method === "HEAD" ? undefined : Buffer.from(bytes),
      signal: gone,
    };
    let answer;
    try {
      answer = await forward(question, this.#backendUrl);
    } finally {
      this.#gate.leave(); // a long answer of the chat keeps nobody waiting
    }
    if (!answer) {
      const detail = "The service is away for a moment. Please try again.";
      problem(response, 503, detail, { "retry-after": "3" });
      return;
    }
    try {
      await reply(answer, method, response);
    } finally {
      answer.body?.destroy(); // one that nobody reads would end the process when it breaks off
    }
  }
}

/** Answers with the backend's answer, unless the request has been refused meanwhile. */
async function reply(answer: Answer, method: string, response: ServerResponse): Promise<void> {
  if (response.headersSent) return;
  if (method === "OPTIONS" && answer.status === 405) {
    // The backend says what the resource allows when it refuses; asking for just that is fine.
    const allow = `${answer.headers.allow ?? "GET"}, OPTIONS`;
    response.writeHead(204, { ...COMMON_HEADERS, "cache-control": "no-store", allow }).end();
    return;
  }
  response.writeHead(answer.status, { ...COMMON_HEADERS, ...answer.headers });
  if (method === "HEAD" || !answer.body) {
    response.end();
    return;
  }
  response.flushHeaders();
  // An answer that breaks off breaks the browser's connection, too, which then knows of it.
  await pipeline(answer.body, response).catch(() => response.destroy());
}
