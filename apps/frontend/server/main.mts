/** Starts the frontend: Next.js behind a server of its own (frontend.mts). */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import next from "next";
import { acceptorsOn, readEnvironment, type Environment } from "./environment.mts";
import { Frontend } from "./frontend.mts";
import { captureConsole, log } from "./log.mts";

const MIB = 1024 * 1024;
const folder = dirname(import.meta.dirname);
const dev = process.env.NODE_ENV !== "production";

function settings(): Environment {
  try {
    return readEnvironment(process.env);
  } catch (error) {
    log("start_refused", { reason: (error as Error).message });
    process.exit(1);
  }
}

const { hostname, port, trustedProxies, keepAlive } = settings();

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
  acceptors: acceptorsOn(process.platform, dev),
  // A page is work for this process, which has one thread: few at a time.
  pageGate: { running: 2, waiting: 200, patience: 8000 },
  api: {
    // Most of an API request is waiting for the backend, so more at a time; but all of them may be
    // answered in one turn of the event loop, which keeps probes waiting.
    gate: { running: 16, waiting: 200, patience: 5000 },
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
