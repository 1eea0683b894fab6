import type { NextConfig } from "next";

const config: NextConfig = {
  // Pages as files, in out/: nothing in them is personal, so nothing is left to render per request.
  output: "export",
  // Else a random name, which every page carries: the same source would never give the same page.
  generateBuildId: () => "todo",
  reactStrictMode: true,
};

export default config;
