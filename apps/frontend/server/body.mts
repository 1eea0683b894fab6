import type { IncomingMessage } from "node:http";

/** What the backend accepts at most. */
export const MAXIMUM_BODY_BYTES = 64 * 1024;
/**
 * Read even when there is no room, which others hold: so nobody keeps people from signing in. On
 * each of the 2000 connections that may be open (main.mts) that is 8 MiB on top of the room.
 */
const SMALL_BODY_BYTES = 4 * 1024;

export type Body =
  { state: "complete"; bytes: Buffer } | { state: "too large" } | { state: "no room" } | { state: "gone" };

/** Reads request bodies, all but the small ones together within a share of the container's memory. */
export class BodyReader {
  #held = 0;
  readonly #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  /**
   * Reads a body to its end.
   *
   * A body that is not accepted is still read, and thrown away: closing a connection on unread
   * data resets it, and the client never sees the answer.
   */
  read(request: IncomingMessage): Promise<Body> {
    if (Number(request.headers["content-length"]) > MAXIMUM_BODY_BYTES) {
      request.resume();
      return Promise.resolve({ state: "too large" });
    }
    return new Promise((resolve) => {
      // Kept in one piece: a body sent byte by byte would cost an object for each of them.
      let bytes = Buffer.alloc(0);
      let size = 0;
      const settle = (body: Body) => {
        request.removeListener("data", take);
        request.resume();
        this.#held -= size;
        size = 0;
        bytes = Buffer.alloc(0);
        resolve(body);
      };
      const take = (part: Buffer) => {
        const before = size;
        size += part.length;
        this.#held += part.length;
        if (size > MAXIMUM_BODY_BYTES) return settle({ state: "too large" });
        if (this.#held > this.#room && size > SMALL_BODY_BYTES) return settle({ state: "no room" });
        if (size > bytes.length) {
          // At least doubled, so that every byte is copied about twice, however small the parts;
          // but a small body takes no more than is promised above.
          const most = size > SMALL_BODY_BYTES ? MAXIMUM_BODY_BYTES : SMALL_BODY_BYTES;
          const larger = Buffer.allocUnsafeSlow(Math.max(size, Math.min(2 * bytes.length, most)));
          bytes.copy(larger);
          bytes = larger;
        }
        part.copy(bytes, before);
      };
      request.on("data", take);
      request.on("end", () => settle({ state: "complete", bytes: bytes.subarray(0, size) }));
      request.on("close", () => settle({ state: "gone" }));
      request.on("error", () => settle({ state: "gone" }));
    });
  }
}
