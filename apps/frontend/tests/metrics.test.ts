import type { Server } from "node:http";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { Metrics, routeOf } from "@/server/metrics.mts";
import { ask, echo, frontend, listen, raw, until } from "./servers";

let backend: Server;
let backendPort: number;

beforeAll(async () => {
  backend = echo();
  backendPort = await listen(backend);
});

afterAll(() => backend.close());

/** A frontend, and what Prometheus reads of it. */
async function measured() {
  const metrics = new Metrics();
  const started = await frontend({ backendPort, metrics });
  const server = metrics.server();
  onTestFinished(() => void server.close());
  const metricsPort = await listen(server);
  const read = async () => (await ask(metricsPort, "/metrics")).text;
  return { ...started, metricsPort, read };
}

const count = (method: string, route: string, status: number) =>
  `todo_frontend_http_request_duration_seconds_count{method="${method}",route="${route}",status="${status}"}`;

test("every request is counted and timed by its method, kind and status", async () => {
  const { port, read, pages } = await measured();
  await ask(port, "/api/todos", { method: "POST", body: "{}" });
  await ask(port, "/api/todos", { method: "PUT", body: "{}" });
  await ask(port, "/api/todos", { method: "PUT", body: "{}" });
  const page = ask(port, "/");
  await until(() => pages.length === 1);
  pages[0]!.finish();
  await page;
  const text = await read();
  expect(text).toContain(`${count("POST", "/api", 200)} 1`);
  expect(text).toContain(`${count("PUT", "/api", 405)} 2`);
  expect(text).toContain(`${count("GET", "page", 200)} 1`);
  expect(text).toMatch(/_bucket\{le="0.25",method="POST",route="\/api",status="200"\} \d/);
});

test("probes are not counted, since they would make bad answers look rare", async () => {
  const { port, read } = await measured();
  await ask(port, "/api/health");
  await ask(port, "/api/ready");
  expect(await read()).not.toContain("_count{");
});

test("who leaves before the answer is no failure of the service's", async () => {
  const { port, read, pages } = await measured();
  const { socket } = raw(port, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await until(() => pages.length === 1);
  socket.destroy();
  await until(async () => (await read()).includes(`${count("GET", "page", 499)} 1`));
});

test("nobody makes up series by asking for what does not exist", async () => {
  expect(["/x1", "/x2?y", "/apix", "http://a/api/b"].map(routeOf)).toEqual(Array(4).fill("page"));
  expect(["/api", "/api/a1", "/api/a2?b=c"].map(routeOf)).toEqual(Array(3).fill("/api"));
  expect(["/api/chat", "/api/chat/messages", "/api/chats"].map(routeOf)).toEqual([
    "/api/chat",
    "/api/chat",
    "/api",
  ]);
  const { port, read } = await measured();
  await ask(port, "/", { method: "PROPFIND" });
  expect(await read()).toContain(count("other", "page", 405));
});

test("at the metrics' port nothing else is answered, and at the public one there are no metrics", async () => {
  const { port, metricsPort, pages } = await measured();
  expect((await ask(metricsPort, "/api/me")).status).toBe(404);
  const page = ask(port, "/metrics");
  await until(() => pages.length === 1); // a page like any other that does not exist
  pages[0]!.finish();
  expect((await page).text).toBe("page");
});
