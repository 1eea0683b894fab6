export interface Environment {
  hostname: string;
  port: number;
  /** Proxies in front that append to X-Forwarded-For. */
  trustedProxies: number;
  /** How long a connection may be idle, in milliseconds. */
  keepAlive: number;
  /** What resolves to the addresses of all pods of the frontend; empty: there are no others. */
  podsHost: string;
  /** Where Prometheus finds the metrics; 0: nowhere. */
  metricsPort: number;
}

/** Reads the settings of the container; throws an Error with one sentence when one makes no sense. */
export function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  function number(name: string, fallback: number, least: number, most: number): number {
    const text = variables[name] || String(fallback);
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    throw new Error(`${name} is ${JSON.stringify(text)}; set it to a whole number from ${least} to ${most}.`);
  }
  return {
    hostname: variables.HOSTNAME || "0.0.0.0",
    port: number("PORT", 3000, 0, 65_535),
    trustedProxies: number("TRUSTED_PROXIES", 0, 0, 10),
    // Longer than the 60 seconds of most load balancers, so that they close connections, not we.
    keepAlive: number("KEEP_ALIVE_TIMEOUT", 75_000, 1000, 86_400_000),
    podsHost: variables.PODS_HOST ?? "",
    metricsPort: number("METRICS_PORT", 0, 0, 65_535),
  };
}

/** Returns how many sockets to listen with: only Linux spreads connections over those of one port. */
export function acceptorsOn(platform: NodeJS.Platform, dev: boolean): number {
  return platform === "linux" && !dev ? 32 : 1;
}
