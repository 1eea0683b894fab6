/** Finishes what `next build` left in out/: what a page runs first comes first, and all is compressed. */

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { EARLY } from "./lib/early.mts";

const OUT = "out";
/** By the end of the name under which server/site.mts looks for it. */
const COMPRESS = { ".br": brotliCompressSync, ".gz": (bytes: Buffer) => gzipSync(bytes, { level: 9 }) };

/** Puts early.js before what may fail to load: React writes scripts with an address before it. */
function beginWithEarly(html: string): string {
  const script = `<script>${EARLY}</script>`;
  const [before, after, more] = html.split(script);
  if (before === undefined || after === undefined || more !== undefined) {
    throw new Error("A page does not have early.js once: see app/layout.tsx.");
  }
  return (before + after).replace("<head>", () => `<head>${script}`);
}

// Of Next.js' older router: no page names it, and its names are not made of its content.
rmSync(join(OUT, "_next", "static", readFileSync(join(".next", "BUILD_ID"), "utf8")), { recursive: true });

for (const entry of readdirSync(OUT, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue;
  const path = join(entry.parentPath, entry.name);
  if (path.endsWith(".html")) writeFileSync(path, beginWithEarly(readFileSync(path, "utf8")));
  const bytes = readFileSync(path);
  for (const [end, compress] of Object.entries(COMPRESS)) {
    const compressed = compress(bytes);
    if (compressed.length < bytes.length) writeFileSync(path + end, compressed);
  }
}
