/** Starts the frontend: the pages that Next.js made (site.mts) and the way to the backend. */

import { dirname, join } from "node:path";
import { acceptorsOn, readEnvironment, type Environment } from "./environment.mts";
import { Frontend, type FrontendOptions } from "./frontend.mts";
import { captureConsole, log } from "./log.mts";
import { Metrics } from "./metrics.mts";
import { OtherBuilds, otherPods } from "./other-builds.mts";
import { Site } from "./site.mts";

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

const { hostname, port, trustedProxies, keepAlive, podsHost, metricsPort } = settings();
const metrics = new Metrics();
let ready = false;

if (!dev) captureConsole();

const frontend = new Frontend({
  pages: (request, response, path) => pages(request, response, path),
  ready: () => ready,
  metrics,
  trustedProxies,
  keepAlive,
  requestTimeout: 30_000,
  connections: 2000,
  acceptors: acceptorsOn(process.platform, dev),
  api: {
    // Most of an API request is waiting for the backend, so more at a time; but all of them may be
    // answered in one turn of the event loop, which keeps probes waiting.
    gate: { running: 16, waiting: 200, patience: 5000 },
    bodyRoom: 16 * MIB,
  },
});
const { pages, introduce } = await findPages();

async function findPages(): Promise<{
  pages: FrontendOptions["pages"];
  /** Makes the pages known to the other pods, once they can be asked for. */
  introduce: () => Promise<void>;
}> {
  if (dev) {
    const { development } = await import("./development.mts"); // the image has no Next.js
    return {
      pages: await development(folder, frontend.server, { hostname, port }),
      introduce: () => Promise.resolve(),
    };
  }
  const site = new Site(join(folder, "out"));
  const others = new OtherBuilds(site, () => otherPods(podsHost, port));
  return {
    pages: (request, response, path) => site.answer(request, response, path, others),
    introduce: () => others.introduce(),
  };
}

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

if (metricsPort) metrics.server().listen(metricsPort, hostname);
log("listening", { hostname, port: await frontend.listen({ port, host: hostname }) });
await introduce();
ready = true;
