/** The browser's view of the API. Everything goes to this page's own origin. */

export type Priority = "low" | "normal" | "high";
export const PRIORITIES: readonly Priority[] = ["low", "normal", "high"];

export interface Me {
  id: string;
  email: string;
}

export interface Todo {
  id: string;
  title: string;
  done: boolean;
  priority: Priority;
  due_date: string | null;
  created_at: string;
  updated_at: string;
}

export interface TodoPage {
  items: Todo[];
  total: number;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }

  /** True when waiting helps: the service restarts or cannot be reached. */
  get away(): boolean {
    return this.status === 0 || (this.status >= 502 && this.status <= 504);
  }

  /** What a form says of it, which somebody can send again. */
  get inForm(): string {
    return this.away ? `${AWAY} Please try again.` : this.message;
  }
}

export const AWAY = "The service is away for a moment.";

async function failure(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  const detail = body && typeof body === "object" && "detail" in body ? body.detail : null;
  return new ApiError(response.status, typeof detail === "string" ? detail : `Error ${response.status}`);
}

/** Sends one request and throws an ApiError unless it succeeds. */
export async function send(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      signal,
      headers: body === undefined ? undefined : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, AWAY);
  }
  if (!response.ok) throw await failure(response);
  return response;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Like send(), but waits out a short outage. Safe for every call here: new rows carry an id
 * chosen by the browser, so a repeated request never creates a second one.
 */
export async function call<T>(
  method: string,
  path: string,
  body?: unknown,
  delays = [400, 1200],
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await send(method, path, body);
      return (response.status === 204 ? undefined : await response.json()) as T;
    } catch (error) {
      const delay = delays[attempt];
      if (delay === undefined || !(error instanceof ApiError) || !error.away) throw error;
      await pause(delay);
    }
  }
}

/** A random UUID; crypto.randomUUID() exists only on https pages and localhost. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export interface Filter {
  search: string;
  show: "all" | "open" | "done";
  limit: number;
}

export function listPath({ search, show, limit }: Filter): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (search) query.set("search", search);
  if (show !== "all") query.set("done", String(show === "done"));
  return `/api/todos?${query}`;
}
