import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { problem } from "./answer.mts";
import { CODINGS, describe, send, type Coding, type File } from "./file.mts";
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
/** How the names of files that finish.mts has compressed end. */
const ENDS: Record<Coding, string> = { br: ".br", gzip: ".gz" };

/** Names that the build makes of the content: it never changes under them. */
export const NAMED_BY_CONTENT = "/_next/static/";
/** Where the names of all those files are found: the pods of other builds ask for it. */
export const LIST = "/_next/files.json";
/** The page of all addresses that have none. */
const NOT_FOUND = "/404.html";
/** Names of pages that are answers, but have no address. */
const WITHOUT_ADDRESS = new Set([NOT_FOUND, "/_not-found.html"]);

/** Where a file that this build does not have may be: see other-builds.mts. */
export interface Elsewhere {
  find(name: string): Promise<File | undefined>;
}

/**
 * The pages and what belongs to them, as the build left them: read once, and kept in memory with
 * all that their answers need.
 *
 * Own code, because it leaves the image without a single package to keep up to date.
 */
export class Site {
  /** The files that are named by their content. */
  readonly names: string[];
  /** Changes with any of the names. */
  readonly tag: string;
  readonly #files: Map<string, File>;
  readonly #notFound: File;

  /** Reads what `npm run build` made. */
  constructor(folder: string) {
    const all = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length));
    const originals = all.filter((name) => !Object.values(ENDS).some((end) => name.endsWith(end)));
    this.#notFound = read(folder, NOT_FOUND, 404);
    this.#files = new Map(
      originals
        .filter((name) => !WITHOUT_ADDRESS.has(name))
        .map((name) => [address(name), read(folder, name, 200)]),
    );
    this.names = originals.filter((name) => name.startsWith(NAMED_BY_CONTENT)).sort();
    const list = describe(200, headersOf(LIST, TYPES[".json"]!), Buffer.from(JSON.stringify(this.names)), []);
    this.#files.set(LIST, list);
    this.tag = list.tag;
  }

  /** Answers GET and HEAD; the path is one that decodeURIComponent can read. */
  answer(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    elsewhere: Elsewhere,
  ): void | Promise<void> {
    const name = decodeURIComponent(path);
    const found = this.#files.get(name);
    if (found) send(found, request, response);
    else if (name.startsWith(NAMED_BY_CONTENT)) {
      return elsewhere.find(name).then((other) => {
        if (other) send(other, request, response);
        // The page asks again (early.js): on a new connection, which may lead to a pod that has it.
        else
          problem(response, 404, "No version of the application has such a file.", { connection: "close" });
      });
    } else send(this.#notFound, request, response);
  }
}

/** Returns a file of another build, which is answered as this one's are. */
export function adopted(
  name: string,
  type: string,
  bytes: Buffer,
  compressed: { coding: Coding; bytes: Buffer }[],
): File {
  return describe(200, headersOf(name, type), bytes, compressed);
}

/** Returns where a file is found: /index.html at /, /x.html at /x, all others by their name. */
function address(name: string): string {
  return name.replace(/(\/index)?\.html$/, "") || "/";
}

function read(folder: string, name: string, status: number): File {
  const bytes = readFileSync(folder + name);
  const type = TYPES[extname(name)];
  if (!type) throw new Error(`${name} is of a type that is not known; add it to TYPES.`);
  const headers = headersOf(name, type, extname(name) === ".html" ? bytes.toString() : "");
  const compressed = CODINGS.filter((coding) => existsSync(folder + name + ENDS[coding])).map((coding) => ({
    coding,
    bytes: readFileSync(folder + name + ENDS[coding]),
  }));
  return describe(status, headers, bytes, compressed);
}

/** Returns what follows from a file's name, its type and, if it is a page, what is written in it. */
function headersOf(name: string, type: string, html = ""): Record<string, string> {
  return {
    ...builtHeaders(html),
    "cache-control": name.startsWith(NAMED_BY_CONTENT) ? "public, max-age=31536000, immutable" : "no-cache",
    "content-type": type,
  };
}
