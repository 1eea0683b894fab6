import { Agent, createServer, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { ask, connections, echo, frontend, listen, raw, until } from "./servers";

let backend: Server;
let backendPort: number;

beforeAll(async () => {
  backend = echo();
  backendPort = await listen(backend);
});

afterAll(() => backend.close());

describe("whom the backend is told about", () => {
  const made = { "x-forwarded-for": "203.0.113.7, 198.51.100.9", "x-forwarded-proto": "https" };

  test.each([
    [0, made, "127.0.0.1", "http"],
    [1, made, "198.51.100.9", "https"],
    [2, made, "203.0.113.7", "https"],
    [3, made, "127.0.0.1", "https"],
    [1, {}, "127.0.0.1", "http"],
    [1, { "x-forwarded-for": "somebody" }, "127.0.0.1", "http"],
    [1, { "x-forwarded-for": "203.0.113.7:4711" }, "203.0.113.7", "http"],
    [1, { "x-forwarded-for": "[2001:db8::1]:4711" }, "2001:db8::1", "http"],
    [1, { "x-forwarded-for": "::ffff:203.0.113.7" }, "203.0.113.7", "http"],
    [2, { "x-forwarded-for": "9.9.9.9, 8.8.8.8, 7.7.7.7" }, "8.8.8.8", "http"],
  ])("with %i trusted proxies and %j it is %s over %s", async (trustedProxies, headers, address, proto) => {
    const { port } = await frontend({ backendPort, trustedProxies });
    const { json } = await ask(port, "/api/me", { headers });
    expect(json.headers).toMatchObject({ "x-forwarded-for": address, "x-forwarded-proto": proto });
  });
});

describe("beyond capacity", () => {
  /** A backend whose answers the test finishes itself. */
  async function slowBackend() {
    const questions: ServerResponse[] = [];
    const server = createServer((_, response) => void questions.push(response));
    onTestFinished(() => void server.close());
    return { questions, backendPort: await listen(server) };
  }

  test("requests wait for their turn, then get 503 with Retry-After; pages and probes never", async () => {
    const { questions, backendPort } = await slowBackend();
    const { port, pages } = await frontend({ backendPort });
    const answers = [1, 2, 3, 4].map(() => ask(port, "/api/me"));
    await until(() => questions.length === 2);
    await ask(port, "/api/health"); // so that all four have been seen
    const refused = await ask(port, "/api/me");
    expect(refused.status).toBe(503);
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect(refused.json.detail).toMatch(/try again/);
    expect((await ask(port, "/api/health")).status).toBe(200);
    expect((await ask(port, "/api/ready")).status).toBe(200);
    const page = ask(port, "/");
    await until(() => pages.length === 1);
    pages[0]!.finish();
    expect((await page).status).toBe(200);
    for (let done = 0; done < 4; done++) {
      await until(() => questions.length > done);
      questions[done]!.end("{}");
    }
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  });

  test("who waits too long gets 503, and who leaves makes room", async () => {
    const { questions, backendPort } = await slowBackend();
    const gate = { running: 1, waiting: 1, patience: 200 };
    const api = { backendUrl: `http://127.0.0.1:${backendPort}`, gate, bodyRoom: 100_000 };
    const { frontend: started, port } = await frontend({ api });
    const first = ask(port, "/api/me");
    await until(() => questions.length === 1);
    expect((await ask(port, "/api/me")).status).toBe(503);
    const left = raw(port, "GET /api/me HTTP/1.1\r\nHost: x\r\n\r\n");
    await ask(port, "/api/health");
    left.socket.destroy();
    await until(async () => (await connections(started.server)) === 1);
    questions[0]!.end("{}");
    await first;
    const next = ask(port, "/api/me");
    await until(() => questions.length === 2);
    questions[1]!.end("{}");
    expect((await next).status).toBe(200);
  });

  test("unfinished bodies keep no turn from others and end after the time for a request", async () => {
    const { port } = await frontend({ backendPort, requestTimeout: 600 });
    const head = "POST /api/todos HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{";
    const slow = Array.from({ length: 10 }, () => raw(port, head));
    expect((await ask(port, "/api/todos", { method: "POST", body: "{}" })).status).toBe(200);
    for (const { received } of slow) expect(await received).toMatch(/^HTTP\/1.1 408 [^]*{"detail":/);
    const partial = raw(port, "GET / HTTP/1.1\r\nHost:");
    expect(await partial.received).toMatch(/^HTTP\/1.1 408 [^]*{"detail":/);
  });

  test("bodies have a share of the memory, after which others are asked to come again", async () => {
    const { port } = await frontend({ backendPort });
    const part = `POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n${"x".repeat(50_000)}`;
    const held = [raw(port, part), raw(port, part)];
    await ask(port, "/api/health");
    const refused = await ask(port, "/api/todos", { method: "POST", body: "x".repeat(30_000) });
    expect([refused.status, refused.headers["retry-after"]]).toEqual([503, "2"]);
    for (const { socket } of held) socket.destroy();
  });

  test("who holds all the room for bodies keeps nobody from signing in", async () => {
    const { port } = await frontend({ backendPort });
    const part = `POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n${"x".repeat(50_000)}`;
    const held = [raw(port, part), raw(port, part)];
    await ask(port, "/api/health");
    const path = "/api/auth/sign-in";
    for (const length of [2, 300, 4096]) {
      const answer = await ask(port, path, { method: "POST", body: "x".repeat(length) });
      expect([answer.status, answer.json.body.length]).toEqual([200, length]);
    }
    const headers = { "transfer-encoding": "chunked" };
    expect((await ask(port, path, { method: "POST", headers, body: "{}" })).status).toBe(200);
    expect((await ask(port, path, { method: "POST", headers, body: "x".repeat(4097) })).status).toBe(503);
    for (const { socket } of held) socket.destroy();
  });

  test("a body sent byte by byte takes no more memory than another, and arrives whole", async () => {
    const { port } = await frontend({ backendPort });
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const bytes = 5_000;
    const text = `POST /api/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\nx\r\n".repeat(bytes)}`;
    collect();
    const before = process.memoryUsage().heapUsed;
    const unfinished = Array.from({ length: 15 }, () => raw(port, text));
    const last = raw(port, `${text}0\r\n\r\n`);
    expect(await last.received).toContain(`"body":"${"x".repeat(bytes)}"`);
    collect();
    // An object for each of 75,000 bytes takes some 10 MB.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
    for (const { socket } of unfinished) socket.destroy();
  });

  test("a large body is refused with an answer that arrives", async () => {
    const { port } = await frontend({ backendPort });
    for (const headers of [{ "content-length": 3_000_000 }, { "transfer-encoding": "chunked" }]) {
      const body = "x".repeat(3_000_000);
      const refused = await ask(port, "/api/todos", { method: "POST", headers, body });
      expect(refused.status).toBe(413);
    }
  });
});

describe("connections", () => {
  test("an idle one stays open for longer than a request may take", async () => {
    const { port } = await frontend({ requestTimeout: 1000, keepAlive: 60_000 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set();
    agent.on("free", (socket) => ports.add(socket.localPort));
    for (const pause of [0, 2500]) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      await ask(port, "/api/health", { agent });
    }
    expect(ports.size).toBe(1);
    agent.destroy();
  });

  test("when stopping, accepted requests are answered, and so is what still comes", async () => {
    const { frontend: started, port, pages } = await frontend();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await ask(port, "/api/health", { agent });
    const accepted = [1, 2, 3].map(() => ask(port, "/"));
    await until(() => pages.length === 3);
    const stopped = started.stop();
    expect((await ask(port, "/api/ready")).status).toBe(503);
    const late = await ask(port, "/api/health", { agent });
    expect([late.status, late.headers.connection]).toEqual([200, "close"]);
    for (const page of pages) page.finish();
    for (const answer of await Promise.all(accepted)) {
      expect([answer.status, answer.headers.connection]).toEqual([200, "close"]);
    }
    await stopped;
    await expect(ask(port, "/api/health")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("when there are too many, those that wait for their clients make room", async () => {
    const { port, pages } = await frontend({ connections: 3 });
    const working = ask(port, "/");
    await until(() => pages.length === 1);
    const slow = raw(port, "POST /api/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{");
    await ask(port, "/api/health");
    const idle = raw(port, "GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise((resolve) => idle.socket.once("data", resolve));
    const first = raw(port, "GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await idle.received).toMatch(/^HTTP\/1.1 200/);
    await new Promise((resolve) => first.socket.once("data", resolve));
    const second = raw(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await first.received).toMatch(/^HTTP\/1.1 200/);
    await until(() => pages.length === 2);
    expect((await ask(port, "/api/health")).status).toBe(200);
    expect(await slow.received).toBe("");
    pages[0]!.finish();
    expect((await working).status).toBe(200);
    second.socket.destroy();
  });

  test("one may send some requests without waiting for answers, but not any number", async () => {
    const { frontend: started, port, pages } = await frontend({ connections: 6 });
    const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    const some = raw(port, request.repeat(4));
    await until(() => pages.length === 4);
    let read = 0;
    started.server.on("request", () => read++);
    const many = raw(port, request.repeat(1000));
    expect(await many.received).toBe("");
    expect(read).toBeLessThan(10);
    const other = ask(port, "/");
    await until(() => pages.at(-1)!.request.headers.connection === "close");
    for (const page of pages) page.finish();
    expect((await other).text).toBe("page");
    some.socket.end();
    expect((await some.received).match(/HTTP\/1.1 200/g)).toHaveLength(4);
  });

  test("when stopping, idle ones are closed", async () => {
    const { frontend: started, port } = await frontend();
    const idle = raw(port, "GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n");
    await ask(port, "/api/health");
    await started.stop();
    expect(await idle.received).toMatch(/^HTTP\/1.1 200/);
  });

  test.each([
    ["has sent nothing", ""],
    ["has sent half a head", "GET / HTTP/1.1\r\nHost:"],
    ["has sent half a head after a request", "GET /api/health HTTP/1.1\r\nHost: x\r\n\r\nGET /"],
    ["does not hang up on a refusal", "GARBAGE\r\n\r\n"],
  ])("one that %s keeps nobody from stopping, nor accepted requests from their answers", async (_, text) => {
    const { frontend: started, port, pages } = await frontend();
    const silent = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    silent.resume().write(text);
    const accepted = ask(port, "/");
    await until(() => pages.length === 1);
    const stopped = started.stop();
    await until(async () => (await connections(started.server)) === 1);
    pages[0]!.finish();
    expect((await accepted).text).toBe("page");
    await stopped;
    silent.destroy();
  });

  test("when stopping, a body has as much time as ever", async () => {
    const { frontend: started, port } = await frontend({ backendPort, requestTimeout: 4800 });
    const head = "POST /api/todos HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{";
    const never = raw(port, head);
    const late = raw(port, head);
    await ask(port, "/api/health");
    const stopped = started.stop();
    await until(() => !started.server.listening);
    late.socket.write("}");
    expect(await late.received).toMatch(/^HTTP\/1.1 200 [^]*"body":"{}"/);
    expect(await never.received).toMatch(/^HTTP\/1.1 408 [^]*{"detail":/);
    await stopped;
  });

  // Vitest fails at any error that nobody listens for, as it ends a pod.
  test.each([
    ["before", "prependOnceListener"],
    ["after", "once"],
  ] as const)("a client that resets its tunnel %s the refusal ends nothing but that", async (_, listen) => {
    const { frontend: started, port } = await frontend();
    const { socket, received } = raw(port, "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n");
    started.server[listen]("connect", () => socket.resetAndDestroy());
    await received;
    await until(async () => (await connections(started.server)) === 0);
    expect((await ask(port, "/api/health")).status).toBe(200);
  });

  test("a client that is refused a tunnel is not waited for", async () => {
    const { frontend: started, port } = await frontend();
    const silent = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    silent.resume().write("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\nmore");
    await new Promise((resolve) => silent.once("end", resolve));
    await until(async () => (await connections(started.server)) === 0);
    silent.destroy();
  });

  test("a refused tunnel is not taken for the answer to an earlier request", async () => {
    const { port, pages } = await frontend();
    const { socket, received } = raw(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await until(() => pages.length === 1);
    socket.write("CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await received).toBe("");
    pages[0]!.finish();
    expect((await ask(port, "/api/health")).status).toBe(200);
  });

  test("an answer of the backend to a request that has been refused meanwhile is not waited for", async () => {
    const questions: ServerResponse[] = [];
    const slow = createServer((_, response) => void questions.push(response));
    onTestFinished(() => void slow.close());
    const { frontend: started, port } = await frontend({ backendPort: await listen(slow) });
    const { socket, received } = raw(port, "GET /api/a HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2));
    await until(() => questions.length === 2);
    const [first, second] = questions as [ServerResponse, ServerResponse];
    const refused = new Promise((resolve) => started.server.once("clientError", resolve));
    socket.write("GARBAGE\r\n\r\n"); // refused in place of the second answer, which waits for the first
    await refused;
    second.write("begun");
    await new Promise((resolve) => second.once("close", resolve)); // nobody wants the rest
    first.end("first");
    expect((await received).match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 501"]);
  });

  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  test.skipIf(major < 22 || (major === 22 && minor < 12))("all listening sockets count", async () => {
    const { frontend: started, port, pages } = await frontend({ acceptors: 4 });
    const idle = Array.from({ length: 20 }, () => raw(port, "GET /api/health HTTP/1.1\r\nHost: x\r\n\r\n"));
    const accepted = [1, 2, 3].map(() => ask(port, "/"));
    await until(() => pages.length === 3);
    const stopped = started.stop();
    for (const page of pages) page.finish();
    for (const answer of await Promise.all(accepted)) expect(answer.status).toBe(200);
    for (const { received } of idle) expect(await received).toMatch(/^HTTP\/1.1 200/);
    await stopped;
    await expect(ask(port, "/api/health")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("an offer of another protocol is ignored", async () => {
    const { port } = await frontend({ backendPort });
    const headers = { connection: "Upgrade, HTTP2-Settings", upgrade: "h2c", "http2-settings": "AAMAAABk" };
    expect((await ask(port, "/api/todos", { headers })).status).toBe(200);
  });
});

describe("what is answered", () => {
  test.each([
    ["GET", "/api/todos/%ff", 400],
    ["GET", "/%zz", 400],
    ["GET", "foo:///api/..\\ready", 400],
    ["POST", "foo:///api/..\\ready", 400],
    ["GET", "foo:///api/todos", 400],
    ["GET", "foo:///", 400],
    ["GET", "HTTPS:/api/todos", 400],
    ["GET", "*", 400],
    ["GET", "http://x/api/todos", 200],
    ["GET", "HTTPS://x/api/todos", 200],
    ["TRACE", "/", 405],
    ["TRACE", "/api/todos", 405],
    ["POST", "/", 405],
    ["PUT", "/_next/static/x.js", 405],
    ["POST", "/api/health", 405],
    ["PUT", "/api/todos", 405],
  ])("%s %s with %i", async (method, path, status) => {
    const { port } = await frontend({ backendPort });
    const answer = await ask(port, path, { method });
    expect(answer.status).toBe(status);
    if (status >= 400 && (method !== "PUT" || !path.startsWith("/api")))
      expect(answer.json.detail).toEqual(expect.any(String));
    if (status === 405) expect(answer.headers.allow).toMatch(/GET/);
  });

  test.each([
    ["/api/todos/", "/api/todos"],
    ["/api/todos///?search=a/", "/api/todos?search=a/"],
    ["/api//todos//", "/api//todos"],
    ["/api/todos/?", "/api/todos"],
    ["/api///", "/api"],
  ])("%s leads to %s", async (path, location) => {
    const { port } = await frontend({ backendPort });
    const answer = await ask(port, path);
    expect([answer.status, answer.headers.location]).toEqual([308, location]);
  });

  // As large as Node.js takes them: steps that grow with the square of it take minutes.
  test.each([
    ["slashes", `/api/${"/".repeat(15_000)}a/`, {}],
    ["slashes in a query", `/api/todos/?${"/".repeat(15_000)}a`, {}],
    ["dots in a path", `/api/${"a/../".repeat(3_000)}a/`, {}],
    ["commas", "/api/a/", { "x-forwarded-for": ",".repeat(15_000), "x-forwarded-proto": "," }],
    ["brackets", "/api/a/", { "x-forwarded-for": `[${"]:1".repeat(5_000)}x` }],
    ["digits", "/api/a/", { "x-forwarded-for": `${"1".repeat(15_000)}x` }],
  ])("many %s keep nobody waiting", async (_, path, headers) => {
    const { port } = await frontend({ backendPort, trustedProxies: 1 });
    for (let round = 0; round < 100; round++) expect((await ask(port, path, { headers })).status).toBe(308);
  });

  test("what is no HTTP with JSON, too", async () => {
    const { port } = await frontend();
    expect(await raw(port, "GARBAGE\r\n\r\n").received).toMatch(/^HTTP\/1.1 [45]0[^]*{"detail":/);
    expect(await raw(port, "GET / HTTP/1.1\r\nHost: x\r\nbad\r\n\r\n").received).toMatch(
      /^HTTP\/1.1 400 [^]*{"detail":/,
    );
  });

  test.each([
    ["names no host", "GET / HTTP/1.1\r\n", 400],
    ["expects what cannot be", "GET / HTTP/1.1\r\nHost: x\r\nExpect: much\r\n", 417],
    ["asks for a tunnel", "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n", 405],
  ])("who %s is told so in a sentence", async (_, head, status) => {
    const { port } = await frontend();
    const answer = await raw(port, `${head}Connection: close\r\n\r\n`).received;
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*nosniff[^]*{"detail":"[A-Z].*\\."}$`));
  });

  test("a pod that is not ready yet is alive and says so", async () => {
    let ready = false;
    const { port } = await frontend({ ready: () => ready });
    expect((await ask(port, "/api/health")).status).toBe(200);
    expect(await ask(port, "/api/ready")).toMatchObject({ status: 503, json: { detail: "Starting." } });
    ready = true;
    expect((await ask(port, "/api/ready")).status).toBe(200);
  });

  test("HEAD as GET without the body, and other methods as they are", async () => {
    const { port } = await frontend({ backendPort });
    const head = await ask(port, "/api/todos", { method: "HEAD" });
    expect([head.status, head.text, head.headers["x-request-id"]]).toEqual([200, "", "1"]);
    expect((await ask(port, "/api/todos/1", { method: "PATCH", body: "{}" })).json.method).toBe("PATCH");
    expect((await ask(port, "/api/todos", { method: "PROPFIND" })).json.method).toBe("PROPFIND");
    for (const [path, allow] of [
      ["/", "GET, HEAD, OPTIONS"],
      ["/api/todos", "GET, POST, OPTIONS"],
    ] as const) {
      const options = await ask(port, path, { method: "OPTIONS" });
      expect([options.status, options.headers.allow]).toEqual([204, allow]);
    }
  });

  test("nothing but /api/ reaches the backend", async () => {
    const { port, pages } = await frontend({ backendPort });
    const paths = [
      "/api/%2e%2e/metrics",
      "/api/../metrics",
      "/api\\..\\metrics",
      "//api/todos",
      "/apix",
      "http://x/api/..\\ready",
    ];
    for (const [index, path] of paths.entries()) {
      const answer = ask(port, path);
      await until(() => pages.length > index);
      pages[index]!.finish();
      expect((await answer).text).toBe("page");
    }
  });

  test("requests from other sites are refused", async () => {
    const { port } = await frontend({ backendPort });
    const headers = { "sec-fetch-site": "cross-site" };
    expect((await ask(port, "/api/todos", { method: "POST", headers, body: "{}" })).status).toBe(403);
  });

  test("while the backend is away 503 says when to come again", async () => {
    const { port } = await frontend();
    const answer = await ask(port, "/api/todos", { method: "POST", body: "{}" });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([503, "3"]);
    expect(answer.json.detail).toMatch(/try again/);
  });
});
