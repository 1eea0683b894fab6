import { afterEach, expect, test, vi } from "vitest";
import { ApiError, call, listPath, newId } from "@/lib/api";
import { deleteConversation } from "@/lib/chat";

afterEach(() => vi.unstubAllGlobals());

function answers(...responses: (Response | Error)[]) {
  const fetch = vi.fn<typeof globalThis.fetch>();
  for (const response of responses) {
    if (response instanceof Error) fetch.mockRejectedValueOnce(response);
    else fetch.mockResolvedValueOnce(response);
  }
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

const away = () => Response.json({ detail: "away" }, { status: 503 });

test("waits out a short outage and sends the same body again", async () => {
  const fetch = answers(new TypeError("network"), away(), Response.json({ id: "1" }));
  await expect(call("POST", "/api/todos", { id: "1" }, [1, 1])).resolves.toEqual({ id: "1" });
  expect(new Set(fetch.mock.calls.map(([, init]) => init?.body))).toEqual(new Set(['{"id":"1"}']));
});

test("gives up after the last delay", async () => {
  answers(away(), away());
  await expect(call("GET", "/api/me", undefined, [1])).rejects.toMatchObject({ status: 503, away: true });
});

test("does not repeat what the server refused, and shows its message", async () => {
  const fetch = answers(Response.json({ detail: "title: must not be blank" }, { status: 422 }));
  const error = await call("POST", "/api/todos", {}).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ message: "title: must not be blank", away: false });
  expect(fetch).toHaveBeenCalledTimes(1);
});

test("an empty answer is undefined", async () => {
  answers(new Response(null, { status: 204 }));
  await expect(call("DELETE", "/api/todos/1")).resolves.toBeUndefined();
});

test("ids are version 4 UUIDs", () => {
  expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(newId()).not.toBe(newId());
});

test("the list's address carries search and filter, encoded", () => {
  expect(listPath({ search: "", show: "all", limit: 50 })).toBe("/api/todos?limit=50");
  expect(listPath({ search: "a&b", show: "open", limit: 50 })).toBe(
    "/api/todos?limit=50&search=a%26b&done=false",
  );
});

test("deleting a conversation shows the one before it, or none", async () => {
  const turns = [{ id: "t", message: "help", answer: "Say what to do." }];
  const gone = () => new Response(null, { status: 204 });
  const fetch = answers(gone(), Response.json([{ id: "b" }]), Response.json(turns));
  await expect(deleteConversation("a")).resolves.toEqual({ id: "b", turns });
  expect(fetch.mock.calls.map(([path, init]) => [init?.method, path])).toEqual([
    ["DELETE", "/api/chat/conversations/a"],
    ["GET", "/api/chat/conversations"],
    ["GET", "/api/chat/conversations/b"],
  ]);
  answers(gone(), Response.json([]));
  await expect(deleteConversation("b")).resolves.toBeNull();
});

test("a conversation that could not be deleted is said to be there still", async () => {
  const fetch = answers(Response.json({ detail: "Please sign in." }, { status: 401 }));
  await expect(deleteConversation("a")).rejects.toMatchObject({ status: 401, message: "Please sign in." });
  expect(fetch).toHaveBeenCalledTimes(1);
});
