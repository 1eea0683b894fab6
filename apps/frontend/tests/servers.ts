import { createServer, request, type IncomingMessage, type RequestOptions, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { Frontend, type FrontendOptions } from "@/server/frontend.mts";
import { Metrics } from "@/server/metrics.mts";

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

export const connections = (server: Server): Promise<number> =>
  new Promise((resolve) => server.getConnections((_, count) => resolve(count)));

/** A backend that answers with what it was asked. */
export const echo = (): Server =>
  createServer((question, response) => {
    let body = "";
    question.on("data", (part) => (body += part));
    question.on("end", () => {
      response.setHeader("content-type", "application/json");
      response.setHeader("x-request-id", "1");
      if (["PUT", "OPTIONS"].includes(question.method ?? "")) response.writeHead(405, { allow: "GET, POST" });
      const { method, url, headers } = question;
      response.end(JSON.stringify({ method, url, headers, body }));
    });
  });

/** A frontend with tight limits, whose pages the test finishes itself. */
export async function frontend(options: Partial<FrontendOptions> & { backendPort?: number } = {}) {
  const pages: { request: IncomingMessage; finish: () => void }[] = [];
  const { backendPort = 1, ...rest } = options;
  const started = new Frontend({
    pages: async (page, response) => {
      pages.push({ request: page, finish: () => response.end("page") });
    },
    ready: () => true,
    metrics: new Metrics(),
    api: {
      backendUrl: `http://127.0.0.1:${backendPort}`,
      gate: { running: 2, waiting: 2, patience: 60_000 },
      bodyRoom: 100_000,
    },
    trustedProxies: 0,
    keepAlive: 60_000,
    requestTimeout: 60_000,
    connections: 100,
    acceptors: 1,
    ...rest,
  });
  const port = await started.listen({ port: 0, host: "127.0.0.1" });
  return { frontend: started, port, pages };
}

export interface Reply {
  status: number;
  headers: IncomingMessage["headers"];
  text: string;
  json: any;
}

/** Sends one request, on a connection of its own unless an agent is given. */
export function ask(
  port: number,
  path: string,
  options: RequestOptions & { body?: string } = {},
): Promise<Reply> {
  const { body, ...rest } = options;
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port, path, agent: false, ...rest }, (answer) => {
      let text = "";
      answer.on("data", (part) => (text += part));
      answer.on("error", reject);
      answer.on("end", () => {
        let json;
        try {
          json = JSON.parse(text);
        } catch {
          json = undefined;
        }
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, json });
      });
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

/** A connection that sends just these characters; `received` is all that came until it closed. */
export function raw(port: number, text: string): { socket: Socket; received: Promise<string> } {
  const socket = connect(port, "127.0.0.1");
  socket.write(text);
  const received = new Promise<string>((resolve, reject) => {
    let all = "";
    socket.on("data", (part) => (all += part));
    socket.on("error", reject);
    socket.on("close", () => resolve(all));
  });
  return { socket, received };
}

/** Waits until something is so. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
