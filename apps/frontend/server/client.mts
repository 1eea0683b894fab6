/** Who asks, by what can be believed: the connection, and the proxies the operator vouches for. */

import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";

function entries(header: string | string[] | undefined): string[] {
  return String(header ?? "")
    .split(",")
    .map((entry) => entry.trim());
}

/** An address without port, brackets and the IPv6 form of an IPv4 address; empty if it is none. */
function plainAddress(text: string): string {
  const bare = text.replace(/^\[(.*)\](:\d+)?$/, "$1").replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1");
  const address = bare.replace(/^::ffff:(?=\d+\.)/i, "");
  return isIP(address) ? address : "";
}

/**
 * The client's address.
 *
 * Each proxy appends the address it was asked from, so with n trusted proxies the n-th entry from
 * the right of X-Forwarded-For is the client; everything left of it the client may have made up.
 * Without proxies, with too few entries or with one that is no address it is the connection's peer.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: number): string {
  const peer = plainAddress(request.socket.remoteAddress ?? "");
  if (trustedProxies === 0) return peer;
  return plainAddress(entries(request.headers["x-forwarded-for"]).at(-trustedProxies) ?? "") || peer;
}

/** Whether the client's own connection is encrypted: only trusted proxies can tell. */
export function isSecure(request: IncomingMessage, trustedProxies: number): boolean {
  if (trustedProxies === 0) return false;
  const found = entries(request.headers["x-forwarded-proto"]); // proxies either append or overwrite
  return (found.at(-trustedProxies) ?? found[0]) === "https";
}

/** Replaces what the client says about itself by what is known, before anything else reads it. */
export function settleForwarded(request: IncomingMessage, trustedProxies: number): void {
  const { headers } = request;
  const address = clientAddress(request, trustedProxies);
  const secure = isSecure(request, trustedProxies);
  if (trustedProxies === 0) delete headers["x-forwarded-host"];
  for (const name of ["forwarded", "x-forwarded-port", "x-real-ip"]) delete headers[name];
  headers["x-forwarded-for"] = address;
  headers["x-forwarded-proto"] = secure ? "https" : "http";
}
