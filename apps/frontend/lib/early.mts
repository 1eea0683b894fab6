import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What runs first in every page, without the comments. */
export const EARLY = readFileSync(join(process.cwd(), "early.js"), "utf8")
  .replace(/^\s*\/[/*].*\n/gm, "")
  .trim();
