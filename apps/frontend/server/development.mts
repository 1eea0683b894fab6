import type { IncomingMessage, Server, ServerResponse } from "node:http";
import next from "next";
import { developmentHeaders } from "./security-headers.mts";

/** Starts Next.js' development server, which renders each page anew and tells it of changes. */
export async function development(
  dir: string,
  httpServer: Server,
  address: { hostname: string; port: number },
): Promise<(request: IncomingMessage, response: ServerResponse) => Promise<void>> {
  const app = next({ dev: true, dir, httpServer, ...address });
  const answer = app.getRequestHandler();
  const headers = Object.entries(developmentHeaders());
  await app.prepare();
  return (request, response) => {
    for (const [name, value] of headers) response.setHeader(name, value);
    return answer(request, response);
  };
}
