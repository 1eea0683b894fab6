import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/** What files are compressed with, the best first. */
export const CODINGS = ["br", "gzip"] as const;
export type Coding = (typeof CODINGS)[number];

/** A page or file, kept in memory with all that its answers need. */
export interface File {
  status: number;
  tag: string;
  /** Complete but for the length and coding, as writeHead() takes them: name, value, name, value. */
  headers: string[];
  bodies: { coding: Coding | "identity"; bytes: Buffer; headers: string[] }[];
}

/**
 * Returns a file as it is answered.
 *
 * @param headers What it has besides those that follow from its content.
 * @param bytes Its content.
 * @param compressed The same, compressed; for each coding that makes it smaller, the best first.
 */
export function describe(
  status: number,
  headers: Record<string, string>,
  bytes: Buffer,
  compressed: { coding: Coding; bytes: Buffer }[],
): File {
  // Weak: one for all codings.
  const tag = `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  const all = Object.entries({ ...headers, etag: tag, vary: "accept-encoding" }).flat();
  const bodies = [...compressed, { coding: "identity" as const, bytes }].map((body) => ({
    ...body,
    headers: [
      ...all,
      ...(body.coding === "identity" ? [] : ["content-encoding", body.coding]),
      ...["content-length", String(body.bytes.length)],
    ],
  }));
  return { status, tag, headers: all, bodies };
}

/** Answers GET and HEAD with a file, or with 304 when the client has it already. */
export function send(
  file: File,
  { method, headers: asked }: IncomingMessage,
  response: ServerResponse,
): void {
  if (file.status === 200 && knows(asked["if-none-match"], file.tag)) {
    response.writeHead(304, file.headers).end();
    return;
  }
  const codings = accepted(asked["accept-encoding"]);
  const body = file.bodies.find(({ coding }) => coding === "identity" || codings.has(coding))!;
  response.writeHead(file.status, body.headers).end(method === "HEAD" ? undefined : body.bytes);
}

/** Whether the client's copy is this one; `*` is whatever there is. */
function knows(header: string | undefined, tag: string): boolean {
  const opaque = tag.slice(2);
  const known = header?.split(",").map((each) => each.trim().replace(/^W\//, ""));
  return known?.some((each) => each === opaque || each === "*") ?? false;
}

/** Returns the codings a client names without refusing them (`q=0`). */
function accepted(header: string | string[] | undefined): Set<string> {
  const offers = String(header ?? "").split(",");
  return new Set(
    offers
      .filter((offer) => !/;\s*q=0(\.0*)?\s*$/i.test(offer))
      .map((offer) => offer.split(";")[0]!.trim().toLowerCase()),
  );
}
