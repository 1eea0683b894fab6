import { createHash } from "node:crypto";

/** What the browser may run and load, and who may use it: the headers of every page and file. */
function securityHeaders(scripts: string[], styles: string[]): Record<string, string> {
  const policy = [
    "default-src 'self'",
    `script-src ${["'self'", ...scripts].join(" ")}`,
    `style-src ${["'self'", ...styles].join(" ")}`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "font-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  };
}

/**
 * Returns the headers of a page as it was built: what is written in it runs, and nothing else.
 *
 * As strict as a nonce in every answer with 'strict-dynamic', which is why no page has to be made
 * anew for each request:
 * - Of scripts in the page only those run whose hash is listed. What somebody smuggles in could
 *   learn a nonce; it cannot have the hash of a script that does something else.
 * - Of scripts with an address only this origin's run ('strict-dynamic' let a trusted one load any
 *   host's). Here all of them come from the build: what users write is answered by /api alone, as
 *   JSON with `nosniff`, which no browser runs.
 */
export function builtHeaders(html = ""): Record<string, string> {
  return securityHeaders(
    inline(html, /<script(?![^>]*\ssrc=)[^>]*>([^]*?)<\/script>/g),
    inline(html, /<style[^>]*>([^]*?)<\/style>/g),
  );
}

/** Returns the headers of pages that Next.js' development server renders: it needs eval. */
export function developmentHeaders(): Record<string, string> {
  return securityHeaders(["'unsafe-inline'", "'unsafe-eval'"], ["'unsafe-inline'"]);
}

/** Returns the hashes of what the pattern finds. */
function inline(html: string, pattern: RegExp): string[] {
  const found = [...html.matchAll(pattern)].map(
    ([, text = ""]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`,
  );
  return [...new Set(found)];
}
