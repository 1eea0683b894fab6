import { expect, test } from "vitest";
import { describeDue, isOverdue, isoDate } from "@/lib/dates";
import { readLines } from "@/lib/ndjson";

test.each([
  ["2026-01-28", "today"],
  ["2026-01-29", "tomorrow"],
  ["2026-01-27", "yesterday"],
  ["2026-01-30", "Friday"],
  ["2026-02-04", "4 Feb 2026"],
  ["2025-12-31", "31 Dec 2025"],
])("%s is %s", (due, words) => {
  expect(describeDue(due, "2026-01-28")).toBe(words);
});

test("dates are local and compare as text", () => {
  expect(isoDate(new Date(2026, 0, 5, 23, 59))).toBe("2026-01-05");
  expect(isOverdue("2026-01-27", "2026-01-28")).toBe(true);
  expect(isOverdue("2026-01-28", "2026-01-28")).toBe(false);
});

test("lines are read whatever the pieces they arrive in", async () => {
  const bytes = new TextEncoder().encode('{"text":"🏠"}\n{"text":"b"}\n\n{"text":"c"}');
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const texts = [];
  for await (const line of readLines<{ text: string }>(body)) texts.push(line.text);
  expect(texts).toEqual(["🏠", "b", "c"]);
});
