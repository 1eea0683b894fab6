import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { problem } from "./answer.mts";
import { builtHeaders } from "./security-headers.mts";

const TYPES: Record<string, string> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};
/** What finish.mts compresses files with, the best first, and how their names then end. */
const CODINGS = { br: ".br", gzip: ".gz" } as const;
type Coding = keyof typeof CODINGS;

/** Names that the build makes of the content: it never changes under them. */
const NAMED_BY_CONTENT = "/_next/static/";
/** The page of all addresses that have none. */
const NOT_FOUND = "/404.html";
/** Names of pages that are answers, but have no address. */
const WITHOUT_ADDRESS = new Set([NOT_FOUND, "/_not-found.html"]);

interface File {
  status: number;
  tag: string;
  /** Complete but for the length and coding, as writeHead() takes them: name, value, name, value. */
  headers: string[];
  bodies: { coding: Coding | "identity"; bytes: Buffer; headers: string[] }[];
}

/**
 * The pages and what belongs to them, as the build left them: read once, and kept in memory with
 * all that their answers need.
 *
 * Own code, because it leaves the image without a single package to keep up to date.
 */
export class Site {
  readonly #files: Map<string, File>;
  readonly #notFound: File;

  /** Reads what `npm run build` made. */
  constructor(folder: string) {
    const names = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length));
    const originals = names.filter((name) => !Object.values(CODINGS).some((end) => name.endsWith(end)));
    this.#notFound = read(folder, NOT_FOUND, 404);
    this.#files = new Map(
      originals
        .filter((name) => !WITHOUT_ADDRESS.has(name))
        .map((name) => [address(name), read(folder, name, 200)]),
    );
  }

  /** Answers GET and HEAD; the path is one that decodeURIComponent can read. */
  answer(request: IncomingMessage, response: ServerResponse, path: string): void {
    const name = decodeURIComponent(path);
    const found = this.#files.get(name);
    if (found) send(found, request, response);
    else if (name.startsWith(NAMED_BY_CONTENT)) {
      // Of another build, while the frontend is updated. The page asks again (early.js): on a new
      // connection, which may lead to a pod that has it.
      problem(response, 404, "This version of the application has no such file.", { connection: "close" });
    } else send(this.#notFound, request, response);
  }
}

/** Returns where a file is found: /index.html at /, /x.html at /x, all others by their name. */
function address(name: string): string {
  return name.replace(/(\/index)?\.html$/, "") || "/";
}

function read(folder: string, name: string, status: number): File {
  const bytes = readFileSync(folder + name);
  const type = TYPES[extname(name)];
  if (!type) throw new Error(`${name} is of a type that is not known; add it to TYPES.`);
  const security = builtHeaders(extname(name) === ".html" ? bytes.toString() : "");
  // Weak: one for all codings.
  const tag = `W/"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  const caching = name.startsWith(NAMED_BY_CONTENT) ? "public, max-age=31536000, immutable" : "no-cache";
  const headers = Object.entries({
    ...security,
    "cache-control": caching,
    "content-type": type,
    etag: tag,
    vary: "accept-encoding",
  }).flat();
  const compressed = (Object.keys(CODINGS) as Coding[])
    .filter((coding) => existsSync(folder + name + CODINGS[coding]))
    .map((coding) => ({ coding, bytes: readFileSync(folder + name + CODINGS[coding]) }));
  const bodies = [...compressed, { coding: "identity" as const, bytes }].map((body) => ({
    ...body,
    headers: [
      ...headers,
      ...(body.coding === "identity" ? [] : ["content-encoding", body.coding]),
      ...["content-length", String(body.bytes.length)],
    ],
  }));
  return { status, tag, headers, bodies };
}

function send(file: File, { method, headers: asked }: IncomingMessage, response: ServerResponse): void {
  if (file.status === 200 && knows(asked["if-none-match"], file.tag)) {
    response.writeHead(304, file.headers).end();
    return;
  }
  const codings = accepted(asked["accept-encoding"]);
  const body = file.bodies.find(({ coding }) => coding === "identity" || codings.has(coding))!;
  response.writeHead(file.status, body.headers).end(method === "HEAD" ? undefined : body.bytes);
}

/** Whether the client's copy is this one. */
function knows(header: string | undefined, tag: string): boolean {
  const opaque = tag.slice(2);
  return header?.split(",").some((each) => each.trim().replace(/^W\//, "") === opaque) ?? false;
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
