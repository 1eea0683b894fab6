import { expect, it, vi } from "vitest";
import { captureConsole } from "@/server/log.mts";

it("makes what others print and what Node warns of a line of JSON each", async () => {
  const printed = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const raw = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  captureConsole();
  console.error(new Error("two\nlines"));
  process.emitWarning("many listeners", "MaxListenersExceededWarning");
  await vi.waitFor(() => expect(printed).toHaveBeenCalledTimes(2));
  const lines = printed.mock.calls.map(([line]) => String(line));
  vi.restoreAllMocks();
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(["error", "warn"]);
  expect(lines.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
  expect(lines[1]).toContain("MaxListenersExceededWarning: many listeners");
  expect(raw).not.toHaveBeenCalled();
});
