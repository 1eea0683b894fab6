import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { OtherBuilds, otherPods } from "@/server/other-builds.mts";
import { LIST, Site } from "@/server/site.mts";
import { ask, frontend, listen, until } from "./servers";

const SHARED = "/_next/static/chunks/shared.js";
const file = (version: string): string => `/_next/static/chunks/of [${version}].js`;
const styles = (version: string): string => `/_next/static/chunks/${version}.css`;

/** What `npm run build` would make of a version. */
function build(version: string): Site {
  const folder = mkdtempSync(join(tmpdir(), "build-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of [
    ["/404.html", "<p>Page not found</p>"],
    [SHARED, "shared()"],
    [file(version), `${version}()`],
    [`${file(version)}.br`, brotliCompressSync(`${version}()`)],
    [styles(version), `p{content:"${version}"}`],
  ] as const) {
    mkdirSync(dirname(folder + name), { recursive: true });
    writeFileSync(folder + name, text);
  }
  return new Site(folder);
}

/** Passes an answer on as it is. */
function pass(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 0, answer.headers);
  answer.pipe(response);
}

/** A pod of a version, and the others it knows of. */
async function pod(version: string, ...others: string[]) {
  const known = [...others];
  const site = build(version);
  const builds = new OtherBuilds(site, async () => known);
  const asked: string[] = [];
  const { frontend: server, port } = await frontend({
    pages: (request, response, path) => {
      asked.push(decodeURI(path));
      return site.answer(request, response, path, builds);
    },
  });
  const get = (path: string, headers = {}) => ask(port, encodeURI(path), { headers });
  return { builds, known, asked, server, get, address: `127.0.0.1:${port}` };
}

test("pods of two builds answer with each other's files as with their own", async () => {
  const old = await pod("old");
  const renewed = await pod("new", old.address);
  old.known.push(renewed.address);
  await renewed.builds.introduce();
  for (const version of ["old", "new"]) {
    for (const headers of [{}, { "accept-encoding": "br" }]) {
      for (const name of [file(version), styles(version)]) {
        const [one, other] = [await old.get(name, headers), await renewed.get(name, headers)];
        expect(one.status).toBe(200);
        expect({ ...one.headers, date: "" }).toEqual({ ...other.headers, date: "" });
        expect(one.text).toBe(other.text);
      }
    }
    expect((await old.get(file(version))).text).toBe(`${version}()`);
  }
});

test("a pod goes on answering for a build whose last pod is gone", async () => {
  const old = await pod("old");
  const renewed = await pod("new", old.address);
  await renewed.builds.look();
  await old.server.stop();
  expect((await renewed.get(file("old"))).text).toBe("old()");
});

test("a pod is introduced when the others, who learn of it late, have its files", async () => {
  const old = await pod("old");
  const renewed = await pod("new", old.address);
  const introduced = renewed.builds.introduce();
  const asked = () => old.asked.filter((path) => path.includes("new"));
  await until(() => asked().length > 1); // the first answer has not been enough
  old.known.push(renewed.address);
  await introduced;
  old.known.pop();
  expect((await old.get(file("new"))).text).toBe("new()");
});

test("a pod that is late to be told of the others is introduced all the same", async () => {
  const old = await pod("old");
  let asked = 0;
  const renewed = new OtherBuilds(build("new"), async () => (++asked < 3 ? null : [old.address]));
  old.known.push((await pod("new")).address);
  await renewed.introduce();
  expect(await renewed.find(file("old"))).toBeDefined();
});

test("a pod that is late to reach the others is introduced all the same", async () => {
  const old = await pod("old");
  let silent = true;
  const late = createServer((request, response) => {
    if (silent) silent = false;
    else get(`http://${old.address}${request.url}`, (answer) => pass(answer, response));
  });
  const renewed = await pod("new", `127.0.0.1:${await listen(late)}`);
  onTestFinished(() => void late.close());
  old.known.push(renewed.address);
  await renewed.builds.introduce();
  old.known.pop();
  expect((await old.get(file("new"))).text).toBe("new()");
  expect((await renewed.get(file("old"))).text).toBe("old()");
});

test("a pod of the same build is asked for nothing but the list", async () => {
  const first = await pod("same");
  const second = await pod("same", first.address);
  await second.builds.introduce();
  expect(new Set(first.asked)).toEqual(new Set([LIST]));
});

test("files that a pod has itself are not fetched again", async () => {
  const old = await pod("old");
  const renewed = await pod("new", old.address);
  await renewed.builds.look();
  expect(old.asked).not.toContain(SHARED);
  expect(old.asked).toContain(file("old"));
});

test("a release that knows of no other builds, or a pod that is gone, keeps nobody waiting", async () => {
  const former = createServer((_, response) => response.writeHead(404).end("<p>Page not found</p>"));
  onTestFinished(() => void former.close());
  const renewed = await pod("new", `127.0.0.1:${await listen(former)}`, "127.0.0.1:1");
  await renewed.builds.introduce();
});

const list = (...names: unknown[]) => JSON.stringify(names);
const huge = "x".repeat(17_000_000);

test.each([
  ["no JSON", "<p>Hello</p>", ""],
  ["no list", "{}", ""],
  ["nothing", "null", ""],
  ["no names", list(5, null), ""],
  ["files of no text", list("/_next/static/\ud800.js"), ""],
  ["a list that is too large", `[${" ".repeat(1_100_000)}]`, ""],
  ["a file that is too large", list(file("old")), huge],
  ["a file that is too large once it is unpacked", list(file("old")), brotliCompressSync(huge)],
  ["files that are too large together", list(file("1"), file("2"), file("3")), huge.slice(0, 7_000_000)],
])("a pod that answers with %s is as good as none", async (_, names, content) => {
  const strange = createServer((request, response) => {
    if (typeof content !== "string") response.setHeader("content-encoding", "br");
    response.setHeader("etag", '"1"').end(request.url === LIST ? names : content);
  });
  onTestFinished(() => void strange.close());
  const renewed = await pod("new", `127.0.0.1:${await listen(strange)}`);
  await renewed.builds.introduce();
  expect((await renewed.get(file("1"))).status).toBe(404);
  expect((await renewed.get(file("old"))).status).toBe(404);
});

test("a pod's list leads to no other server", async () => {
  let asked = 0;
  const other = createServer((_, response) => void response.end(String(asked++)));
  onTestFinished(() => void other.close());
  const name = `@127.0.0.1:${await listen(other)}/_next/static/x.js`;
  const strange = createServer((_, response) => void response.setHeader("etag", '"1"').end(list(name)));
  onTestFinished(() => void strange.close());
  const renewed = await pod("new", `127.0.0.1:${await listen(strange)}`);
  await renewed.builds.introduce();
  expect(asked).toBe(0);
});

test("a pod that cannot find others starts without them", async () => {
  const site = build("new");
  const builds = new OtherBuilds(site, () => Promise.reject(new Error("no network interfaces")));
  await builds.introduce();
  expect(await builds.find(file("old"))).toBeUndefined();
});

test("files that no pod has are asked for seldom, however often they are wanted", async () => {
  const old = await pod("old");
  const renewed = await pod("new", old.address);
  await renewed.builds.look();
  const before = old.asked.length;
  const wanted = Array.from({ length: 50 }, (_, n) => renewed.get(`/_next/static/none-${n}.js`));
  for (const { status } of await Promise.all(wanted)) expect(status).toBe(404);
  expect(old.asked.length - before).toBeLessThan(wanted.length / 2);
});

test("two other builds are kept; the one that was found first makes room", async () => {
  const last = await pod("4");
  for (const version of ["1", "2", "3"]) {
    const { address } = await pod(version);
    last.known.splice(0, 1, address);
    await until(async () => (await last.get(file(version))).status === 200);
  }
  last.known.splice(0, 1);
  const found = await Promise.all(["1", "2", "3", "4"].map((it) => last.get(file(it))));
  expect(found.map(({ status }) => status)).toEqual([404, 200, 200, 200]);
});

test("a build that could not be read to its end is read again", async () => {
  let breaks = true;
  const old = build("old");
  const unsteady = await frontend({
    pages: (request, response, path) => {
      if (breaks && path !== LIST) response.destroy();
      else return old.answer(request, response, path, new OtherBuilds(old, async () => []));
    },
  });
  const renewed = await pod("new", `127.0.0.1:${unsteady.port}`);
  expect((await renewed.get(file("old"))).status).toBe(404);
  breaks = false;
  await until(async () => (await renewed.get(file("old"))).status === 200);
});

test.each([
  ["203.0.113.7", ["203.0.113.7:3000"]],
  ["2001:db8::1", ["[2001:db8::1]:3000"]],
  ["127.0.0.1", []],
  ["", []],
])("at the name %s these other pods are found: %j", async (name, found) => {
  expect(await otherPods(name, 3000)).toEqual(found);
});
