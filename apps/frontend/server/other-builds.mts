import { lookup } from "node:dns/promises";
import { Agent, get, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from "node:http";
import { isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";
import { brotliDecompressSync } from "node:zlib";
import type { File } from "./file.mts";
import { log } from "./log.mts";
import { adopted, LIST, NAMED_BY_CONTENT, type Site } from "./site.mts";

/** How many other builds are kept: an update has one, and one that is broken off has two. */
const MOST_BUILDS = 2;
/** Most bytes that are kept of a build, in all codings: the container has 256 MiB for all that it does. */
const MOST_BYTES = 16 * 1024 * 1024;
/** Most bytes of the list of a build's files. */
const MOST_BYTES_OF_LIST = 1024 * 1024;
/** Longest time until another pod has answered, in milliseconds: at its CPU limit it takes a while. */
const ANSWER_TIMEOUT = 2000;
/** Longest time until it has sent all its files, of which there are some dozens. */
const FILES_TIMEOUT = 10_000;
/** From one look at the other pods to the next, in milliseconds: so unknown names cost them little. */
const BETWEEN_LOOKS = 500;
/**
 * Longest time to make a build known, in milliseconds: a name server may be late to tell of a new
 * pod, and a node that enforces network policies late to let it out.
 */
const LONGEST_INTRODUCTION = 10_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/**
 * Returns the other pods' addresses, as in a URL: those a name resolves to, but for this pod's.
 *
 * None where there is no such name: nobody else is there. Null when no name server tells.
 */
export async function otherPods(host: string, port: number): Promise<string[] | null> {
  if (!host) return [];
  // A name server that does not answer keeps nobody waiting for as long as it is asked.
  const late = pause(ANSWER_TIMEOUT).then(() => null);
  const found = await Promise.race([
    lookup(host, { all: true }).catch(({ code }: NodeJS.ErrnoException) =>
      code === "ENOTFOUND" ? [] : null,
    ),
    late,
  ]);
  if (!found) return null;
  const own = new Set(Object.values(networkInterfaces()).flatMap((all) => all?.map((it) => it.address)));
  return found
    .map(({ address }) => address)
    .filter((address) => !own.has(address))
    .map((address) => `${isIPv6(address) ? `[${address}]` : address}:${port}`);
}

/** What is known after a look at the other pods. */
export interface Look {
  /** Those of other builds. */
  others: string[];
  /** Whether each of them has answered or is not there, so that no other is to be expected. */
  complete: boolean;
}

/** What another pod is to this one: of another build, nothing to be taken from, or silent. */
type Kind = "other" | "none" | "silent";

/**
 * The files of other builds, taken from the pods that have them.
 *
 * While the frontend is updated, pods of two builds answer, and a page of one may ask the other for
 * its files. So each takes over the other's: a new pod before it is ready, an old one when it is
 * asked for a file that it does not have.
 */
export class OtherBuilds {
  readonly #site: Site;
  readonly #pods: () => Promise<string[] | null>;
  /** By the tag of their list, the one that was found first first. */
  readonly #builds = new Map<string, Map<string, File>>();
  #look: Promise<Look> | undefined;

  /**
   * @param site This build.
   * @param pods Finds the host and port of each other pod; null: it cannot now.
   */
  constructor(site: Site, pods: () => Promise<string[] | null>) {
    this.#site = site;
    this.#pods = pods;
  }

  /** Finds a file; asks the other pods whether they have a build that is not known yet. */
  async find(name: string): Promise<File | undefined> {
    const known = this.#known(name);
    if (known) return known;
    await this.look();
    return this.#known(name);
  }

  /**
   * Takes over what other pods have.
   *
   * Who comes while that is done, or soon after, gets the same. Never rejects: a pod that answers
   * with something else is none of another build.
   */
  look(): Promise<Look> {
    this.#look ??= this.#lookAround().finally(() => {
      setTimeout(() => (this.#look = undefined), BETWEEN_LOOKS).unref();
    });
    return this.#look;
  }

  /**
   * Makes this build known: resolves when the pods of others have its files, and this one theirs.
   *
   * Pods that are not there are left out, as are, after ten seconds, those that do not answer, and
   * one that goes on lacking them.
   */
  async introduce(): Promise<void> {
    const end = Date.now() + LONGEST_INTRODUCTION;
    let found = await this.look();
    while (!found.complete && Date.now() < end) {
      await pause(BETWEEN_LOOKS);
      found = await this.look();
    }
    await Promise.all(
      found.others.map(async (pod) => {
        while (Date.now() < end && (await this.#lacks(pod))) await pause(BETWEEN_LOOKS);
      }),
    );
  }

  #known(name: string): File | undefined {
    for (const files of this.#builds.values()) {
      const file = files.get(name);
      if (file) return file;
    }
    return undefined;
  }

  /** Whether a pod of another build answers that it does not have a file of this one. */
  async #lacks(pod: string): Promise<boolean> {
    try {
      const theirs = new Set(namesIn((await ask(pod, LIST, MOST_BYTES_OF_LIST)).bytes));
      const name = this.#site.names.find((own) => !theirs.has(own));
      return name !== undefined && (await ask(pod, name, MOST_BYTES)).status === 404;
    } catch {
      return false;
    }
  }

  async #lookAround(): Promise<Look> {
    const pods = await this.#pods().catch((error) => {
      log("other_pods_not_found", { reason: String(error) });
      return [];
    });
    if (!pods) return { others: [], complete: false };
    const kinds = await Promise.all(pods.map((pod) => this.#takeOver(pod)));
    return {
      others: pods.filter((_, index) => kinds[index] === "other"),
      complete: !kinds.includes("silent"),
    };
  }

  /** Takes over a pod's files, if it is one of another build. */
  async #takeOver(pod: string): Promise<Kind> {
    const headers = { "if-none-match": this.#site.tag };
    let list;
    try {
      list = await ask(pod, LIST, MOST_BYTES_OF_LIST, { headers });
    } catch (error) {
      // Refused: it has not started yet, or is gone.
      return (error as Error).name === "AbortError" ? "silent" : "none";
    }
    const build = list.headers.etag;
    // Not so for the same build, and a release that takes no files over.
    if (list.status !== 200 || !build) return "none";
    if (this.#builds.has(build)) return "other";
    let names;
    try {
      names = namesIn(list.bytes);
    } catch (error) {
      log("other_build_not_read", { pod, reason: String(error) });
      return "none";
    }
    await this.#fetch(build, pod, names);
    return "other";
  }

  async #fetch(build: string, pod: string, names: string[]): Promise<void> {
    const files = new Map<string, File>();
    this.#builds.set(build, files); // at once, so that one pod of it alone is asked
    const own = new Set(this.#site.names);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const signal = AbortSignal.timeout(FILES_TIMEOUT);
    let left = MOST_BYTES;
    try {
      for (const name of names) {
        if (own.has(name)) continue;
        const file = this.#known(name) ?? (await fetchFile(pod, name, left, { agent, signal }));
        for (const { bytes } of file.bodies) left -= bytes.length;
        if (left < 0) throw new Error(`its files are larger than ${MOST_BYTES} bytes together`);
        files.set(name, file);
      }
    } catch (error) {
      this.#builds.delete(build);
      log("other_build_not_read", { pod, reason: String(error) });
    } finally {
      agent.destroy();
    }
    while (this.#builds.size > MOST_BUILDS) this.#builds.delete([...this.#builds.keys()][0]!);
  }
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  bytes: Buffer;
}

/** Asks another pod; rejects when it does not answer in time, not to the end, or with too many bytes. */
async function ask(pod: string, name: string, most: number, options: RequestOptions = {}): Promise<Answer> {
  const all = { agent: false, signal: AbortSignal.timeout(ANSWER_TIMEOUT), ...options };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`http://${pod}${encodeURI(name)}`, all, resolve).on("error", reject);
  });
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer) {
    size += (part as Buffer).length;
    if (size > most) throw new Error(`${name} is larger than ${most} bytes`);
    parts.push(part as Buffer);
  }
  return { status: answer.statusCode ?? 0, headers: answer.headers, bytes: Buffer.concat(parts) };
}

/** Fetches a file as it is in its build, but not in every coding; rejects as ask() does. */
async function fetchFile(pod: string, name: string, most: number, options: RequestOptions): Promise<File> {
  const asked = { ...options, headers: { "accept-encoding": "br" } };
  const { status, headers, bytes } = await ask(pod, name, most, asked);
  if (status !== 200) throw new Error(`${name} is answered with ${status}`);
  const type = headers["content-type"] ?? "";
  if (headers["content-encoding"] !== "br") return adopted(name, type, bytes, []);
  // A few bytes can be said to be gigabytes.
  const original = brotliDecompressSync(bytes, { maxOutputLength: most });
  return adopted(name, type, original, [{ coding: "br", bytes }]);
}

/** Returns the names in a list of files; throws when it is none, as something else may answer. */
function namesIn(list: Buffer): string[] {
  const names: unknown = JSON.parse(list.toString());
  const isName = (name: unknown) => typeof name === "string" && name.startsWith(NAMED_BY_CONTENT);
  if (!Array.isArray(names) || !names.every(isName)) throw new Error("the list is not one of files");
  return names;
}
