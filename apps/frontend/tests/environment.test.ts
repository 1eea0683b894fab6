import { expect, test } from "vitest";
import { acceptorsOn, readEnvironment } from "@/server/environment.mts";

test("nothing in front is trusted, and connections outlive the patience of proxies, by default", () => {
  expect(readEnvironment({} as NodeJS.ProcessEnv)).toEqual({
    hostname: "0.0.0.0",
    port: 3000,
    trustedProxies: 0,
    keepAlive: 75_000,
    podsHost: "",
    metricsPort: 0,
  });
});

test.each([
  ["TRUSTED_PROXIES", "-1", /^TRUSTED_PROXIES is "-1"; set it to a whole number from 0 to 10.$/],
  ["TRUSTED_PROXIES", "11", /from 0 to 10/],
  ["TRUSTED_PROXIES", "1.5", /whole number/],
  ["KEEP_ALIVE_TIMEOUT", "75s", /^KEEP_ALIVE_TIMEOUT is "75s"; set it to a whole number/],
  ["PORT", "99999", /from 0 to 65535/],
])("%s=%s is refused in one sentence", (name, value, sentence) => {
  expect(() => readEnvironment({ [name]: value } as unknown as NodeJS.ProcessEnv)).toThrow(sentence);
});

test.each([
  ["linux", false, true],
  ["linux", true, false],
  ["darwin", false, false],
  ["darwin", true, false],
  ["win32", false, false],
] as const)("on %s, development %s: several sockets share the port: %s", (platform, dev, several) => {
  expect(acceptorsOn(platform, dev) > 1).toBe(several);
});
