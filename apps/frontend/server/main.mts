/** Starts the frontend: Next.js behind a server of its own (frontend.mts). */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import next from "next";
import { Frontend } from "./frontend.mts";
import { captureConsole, log } from "./log.mts";

const MIB = 1024 * 1024;
const folder = dirname(import.meta.dirname);
const dev = process.env.NODE_ENV !== "production";

/** Reads a whole number from the environment. */
function number(name: string, fallback: number, least: number, most: number): number {
  const text = process.env[name] || String(fallback);
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  log("start_refused", { reason: `${name} is ${text}; it must be a whole number from ${least} to ${most}.` });
  process.exit(1);
}

const hostname = process.env.HOSTNAME || "0.0.0.0";
const port = number("PORT", 3000, 0, 65_535);
const trustedProxies = number("TRUSTED_PROXIES", 0, 0, 10);
const keepAlive = number("KEEP_ALIVE_TIMEOUT", 75_000, 1000, 86_400_000);

if (!dev) {
  captureConsole();
  // As the server.js does that Next.js writes: the configuration as it was built, not read again.
  const built = JSON.parse(readFileSync(join(folder, ".next", "required-server-files.json"), "utf8"));
  process.env.__NEXT_PRIVATE_STANDALONE_CONFIG = JSON.stringify(built.config);
}

const frontend = new Frontend({
  pages: (request, response) => pages(request, response),
  trustedProxies,
  keepAlive,
  requestTimeout: 30_000,
  connections: 2000,
  acceptors: 8,
  // A page is work for this process, which has one thread: few at a time.
  pageGate: { running: 2, waiting: 200, patience: 8000 },
  api: {
    // Most of an API request is waiting for the backend.
    gate: { running: 64, waiting: 200, patience: 5000 },
    bodyRoom: 16 * MIB,
  },
});
// Next.js takes every offer of an upgrade (to h2c, for example) and closes the connection. Only its
// development server has web sockets; else it watches a server that nobody reaches, and the offer
// is ignored, as HTTP wants it.
const watched = dev ? frontend.server : createServer();
const app = next({ dev, dir: folder, hostname, port, quiet: !dev, httpServer: watched });
const pages = app.getRequestHandler();

let stopping = false;
async function stop(signal: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  log("stopping", { signal });
  await frontend.stop();
  log("stopped");
  process.exit(0);
}
process.on("SIGTERM", (signal) => void stop(signal));
process.on("SIGINT", (signal) => void stop(signal));

await app.prepare();
log("listening", { hostname, port: await frontend.listen({ port, host: hostname }) });
