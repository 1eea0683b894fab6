import { createServer, request } from "node:http";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { ask, echo, frontend, listen, until } from "./servers";

let lines: Record<string, unknown>[];

beforeEach(() => {
  lines = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    lines.push(JSON.parse(String(text)));
    return true;
  });
  onTestFinished(() => write.mockRestore());
});

async function echoed() {
  const backend = echo();
  onTestFinished(() => void backend.close());
  return frontend({ backendPort: await listen(backend) });
}

const logged = async (id: unknown) => {
  await until(() => lines.some((line) => line.request_id === id));
  return lines.filter((line) => line.request_id === id);
};

describe("the id of a request", () => {
  test("that a client gives reaches the backend and this service's log", async () => {
    const { port } = await echoed();
    const { json } = await ask(port, "/api/todos?q=private", {
      headers: { "x-request-id": "from-client.1" },
    });
    expect(json.headers["x-request-id"]).toBe("from-client.1");
    const expected = { event: "request", method: "GET", path: "/api/todos", status: 200 };
    expect(await logged("from-client.1")).toMatchObject([expected]);
    expect(JSON.stringify(lines)).not.toContain("private");
  });

  test.each([
    ["nothing", undefined],
    ["two words", "two words"],
    ["far too much", "x".repeat(65)],
  ])("is made where a client gives %s", async (_, given) => {
    const { port } = await echoed();
    const { json } = await ask(port, "/api/me", { headers: given ? { "x-request-id": given } : {} });
    expect(json.headers["x-request-id"]).toMatch(/^[0-9a-f]{32}$/);
    expect(await logged(json.headers["x-request-id"])).toHaveLength(1);
  });

  test("is in the answer, also where there is no backend to answer", async () => {
    const { port } = await frontend();
    const answer = await ask(port, "/api/me", { headers: { "x-request-id": "nobody-there" } });
    expect([answer.status, answer.headers["x-request-id"]]).toEqual([503, "nobody-there"]);
    expect((await logged("nobody-there")).map(({ event }) => event)).toEqual([
      "backend_unreachable",
      "request",
    ]);
  });

  test("is logged for a client that leaves before its answer", async () => {
    const backend = createServer(() => asked.destroy());
    onTestFinished(() => void backend.close());
    const { port } = await frontend({ backendPort: await listen(backend) });
    const headers = { "x-request-id": "left" };
    const asked = request({ host: "127.0.0.1", port, path: "/api/me", agent: false, headers });
    asked.on("error", () => {}).end();
    expect(await logged("left")).toMatchObject([{ event: "request", status: 499 }]);
  });

  test("probes and pages leave no line", async () => {
    const { port, pages } = await echoed();
    const page = ask(port, "/");
    await until(() => pages.length === 1);
    pages[0]?.finish();
    await page;
    await ask(port, "/api/health");
    await ask(port, "/api/me", { headers: { "x-request-id": "last" } });
    await logged("last");
    expect(lines).toHaveLength(1);
  });
});
