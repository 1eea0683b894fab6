import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { developmentHeaders } from "@/server/security-headers.mts";
import { OtherBuilds } from "@/server/other-builds.mts";
import { Site } from "@/server/site.mts";
import { ask, frontend } from "./servers";

const SCRIPT = "/_next/static/chunks/0a1b.js";
const FILES: Record<string, string> = {
  "/index.html":
    '<script>early()</script><link rel="stylesheet" href="/x.css"/><style>p{}</style>' +
    `<script src="${SCRIPT}" async=""></script><script id="_R_">late()</script>`,
  "/404.html": "<p>Page not found</p>",
  "/_not-found.html": "<p>Page not found</p>",
  "/about/index.html": "<p>About</p>",
  "/help.html": "<p>Help</p>",
  "/icon.svg": "<svg/>",
  [SCRIPT]: "late()",
  [`${SCRIPT}.br`]: "in br",
  [`${SCRIPT}.gz`]: "in gzip",
};
let folder: string;
let port: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "site-"));
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(folder + name), { recursive: true });
    writeFileSync(folder + name, text);
  }
  const site = new Site(folder);
  const alone = new OtherBuilds(site, async () => []);
  ({ port } = await frontend({ pages: (...all) => site.answer(...all, alone) }));
});

afterAll(() => rmSync(folder, { recursive: true }));

const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

test("pages run only the scripts that were built into them, and those of their own origin", async () => {
  const { headers } = await ask(port, "/");
  const policy = String(headers["content-security-policy"]);
  expect(policy).toContain(`; script-src 'self' ${hash("early()")} ${hash("late()")};`);
  expect(policy).toContain(`; style-src 'self' ${hash("p{}")};`);
  expect(policy).not.toContain("unsafe");
});

test.each(["/", "/help", "/nowhere", "/icon.svg", SCRIPT])(
  "%s is locked up for other sites",
  async (path) => {
    const { headers } = await ask(port, path);
    expect(headers["content-security-policy"]).toMatch(
      /default-src 'self'; script-src 'self'.*; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/,
    );
    expect(headers).toMatchObject({
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "permissions-policy": "camera=(), geolocation=(), microphone=()",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
  },
);

test("only the development server's pages may use eval", () => {
  expect(developmentHeaders()["content-security-policy"]).toContain("'unsafe-eval'");
});

test.each([
  ["/", 200, "text/html; charset=utf-8", "no-cache"],
  ["/?from=mail", 200, "text/html; charset=utf-8", "no-cache"],
  ["/help", 200, "text/html; charset=utf-8", "no-cache"],
  ["/about", 200, "text/html; charset=utf-8", "no-cache"],
  ["/icon.svg?x", 200, "image/svg+xml", "no-cache"],
  ["/ic%6Fn.svg", 200, "image/svg+xml", "no-cache"],
  [SCRIPT, 200, "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"],
  ["/nowhere", 404, "text/html; charset=utf-8", "no-cache"],
  ["/404", 404, "text/html; charset=utf-8", "no-cache"],
  ["/_not-found", 404, "text/html; charset=utf-8", "no-cache"],
  ["/index.html", 404, "text/html; charset=utf-8", "no-cache"],
  [`${SCRIPT}.br`, 404, "application/json", "no-store"],
  ["/%2e%2e/%2e%2e/etc/passwd", 404, "text/html; charset=utf-8", "no-cache"],
  ["/..%2f..%2fetc%2fpasswd", 404, "text/html; charset=utf-8", "no-cache"],
])("%s is answered with %i as %s, to be kept: %s", async (path, status, type, caching) => {
  const answer = await ask(port, path);
  expect(answer.status).toBe(status);
  expect(answer.headers).toMatchObject({ "content-type": type, "cache-control": caching });
});

test.each([
  [undefined, undefined, "late()"],
  ["gzip, deflate, br, zstd", "br", "in br"],
  ["gzip, br;q=0", "gzip", "in gzip"],
  ["GZIP;q=0.5", "gzip", "in gzip"],
  ["br;q=0.0,gzip; q=0", undefined, "late()"],
])("to a client that accepts %s it is sent in %s", async (asked, coding, text) => {
  const answer = await ask(port, SCRIPT, { headers: asked ? { "accept-encoding": asked } : {} });
  expect([answer.headers["content-encoding"], answer.text]).toEqual([coding, text]);
  expect(answer.headers.vary).toBe("accept-encoding");
  expect(answer.headers["content-length"]).toBe(String(text.length));
});

test("a client that has a page already is told so in a few bytes", async () => {
  const tag = String((await ask(port, "/")).headers.etag);
  for (const known of [tag, tag.slice(2), `"x", ${tag}`, "*"]) {
    const answer = await ask(port, "/", { headers: { "if-none-match": known } });
    expect([answer.status, answer.text, answer.headers.etag]).toEqual([304, "", tag]);
  }
  expect((await ask(port, "/", { headers: { "if-none-match": 'W/"x"' } })).status).toBe(200);
});

test("HEAD is GET without the body", async () => {
  const [get, head] = [await ask(port, "/"), await ask(port, "/", { method: "HEAD" })];
  expect(head.text).toBe("");
  expect({ ...head.headers, date: "" }).toEqual({ ...get.headers, date: "" });
});

test("who asks for a file that no pod has may ask again on a connection to another", async () => {
  const answer = await ask(port, "/_next/static/chunks/of-another-build.js");
  expect([answer.status, answer.headers.connection]).toEqual([404, "close"]);
  expect(answer.headers["cache-control"]).toBe("no-store");
});

test("a file that no browser would know how to read is refused at the start", () => {
  const odd = mkdtempSync(join(tmpdir(), "site-"));
  for (const name of ["/404.html", "/song.xyz"]) writeFileSync(odd + name, "");
  expect(() => new Site(odd)).toThrow("/song.xyz is of a type that is not known");
  rmSync(odd, { recursive: true });
});
