import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { forward, type Question } from "@/server/backend.mts";

let server: Server;
let url: string;
let last: { request: IncomingMessage; body: string };

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      last = { request, body };
      response.setHeader("set-cookie", ["a=1; HttpOnly", "b=2"]);
      response.setHeader("server", "secret");
      response.setHeader("retry-after", "3");
      response.setHeader("allow", "GET");
      response.setHeader("www-authenticate", "Bearer");
      if (request.method === "DELETE") response.writeHead(204).end();
      else response.writeHead(201, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => server.close());

const post = (body: string, headers: Question["headers"] = {}): Question => ({
  method: "POST",
  path: "/api/todos?x=%2F",
  headers,
  body: Buffer.from(body),
  signal: new AbortController().signal,
});

test("passes on the request and the answer, but only known headers", async () => {
  const answer = await forward(
    post('{"title":"x"}', { cookie: "s=1", "x-forwarded-for": "2.2.2.2", "x-secret": "1" }),
    url,
  );
  expect(last.request.url).toBe("/api/todos?x=%2F");
  expect(last.body).toBe('{"title":"x"}');
  expect(last.request.headers).toMatchObject({ cookie: "s=1", "x-forwarded-for": "2.2.2.2" });
  expect(last.request.headers).not.toHaveProperty("x-secret");
  expect(answer?.status).toBe(201);
  expect(answer?.headers).toMatchObject({
    "set-cookie": ["a=1; HttpOnly", "b=2"],
    "retry-after": "3",
    allow: "GET",
    "www-authenticate": "Bearer",
  });
  expect(answer?.headers).not.toHaveProperty("server");
});

test("uses a connection of its own for each request", async () => {
  let connections = 0;
  const count = () => connections++;
  server.on("connection", count);
  for (let i = 0; i < 3; i++) await forward(post("{}"), url);
  server.off("connection", count);
  expect(connections).toBe(3);
});

test("passes on an answer without a body", async () => {
  const answer = await forward({ ...post(""), method: "DELETE", path: "/api/todos/1" }, url);
  expect(answer).toMatchObject({ status: 204, body: null });
});

test("asks again when the backend was only gone for a moment", async () => {
  const { port } = new URL(url);
  await new Promise((done) => server.close(done));
  await new Promise((done) => setTimeout(done, 50)); // until the kept-alive connection is gone, too
  setTimeout(() => server.listen(Number(port), "127.0.0.1"), 50);
  expect((await forward(post("{}"), url))?.status).toBe(201);
});

test("has no answer while the backend is away", async () => {
  expect(await forward(post("{}"), "http://127.0.0.1:1")).toBeNull();
});
