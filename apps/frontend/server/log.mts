import { format } from "node:util";

/** Writes one event as one line of JSON, as the backend does. */
export function log(event: string, fields: Record<string, unknown> = {}): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), event, ...fields })}\n`);
}

/** Makes what others print with console, stack traces included, and Node's warnings one line of JSON each. */
export function captureConsole(): void {
  for (const level of ["debug", "info", "log", "warn", "error"] as const) {
    console[level] = (...parts: unknown[]) => log("message", { level, message: format(...parts) });
  }
  process.removeAllListeners("warning"); // Node's own prints several lines
  process.on("warning", (warning) => console.warn(warning));
}
