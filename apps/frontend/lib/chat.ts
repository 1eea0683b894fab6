import { AWAY, ApiError, call, send } from "./api";
import { readLines } from "./ndjson";

export interface Turn {
  id: string;
  message: string;
  answer: string;
}

export type ChatEvent =
  | { type: "start"; mode: "model" | "parser" }
  | { type: "delta"; text: string }
  | { type: "changed" }
  | { type: "end" }
  | { type: "error"; detail: string };

export interface Question {
  id: string;
  conversation_id: string;
  message: string;
  today: string;
}

/** Sends a message and reports the answer while it arrives. Sending it again with its id is harmless. */
export async function ask(
  question: Question,
  onEvent: (event: ChatEvent) => void,
  signal?: AbortSignal,
): Promise<void> {
  const response = await send("POST", "/api/chat", question, signal);
  let ended = false;
  try {
    for await (const event of readLines<ChatEvent>(response.body ?? new ReadableStream())) {
      if (event.type === "error") throw new ApiError(503, event.detail);
      onEvent(event);
      ended ||= event.type === "end";
    }
  } catch (error) {
    if (signal?.aborted || error instanceof ApiError) throw error;
    throw new ApiError(0, AWAY);
  }
  if (!ended) throw new ApiError(0, AWAY);
}

export interface Conversation {
  id: string;
  turns: Turn[];
}

/** Returns the user's most recent conversation, if there is one. */
export async function latestConversation(): Promise<Conversation | null> {
  const [newest] = await call<{ id: string }[]>("GET", "/api/chat/conversations");
  if (!newest) return null;
  return { id: newest.id, turns: await call<Turn[]>("GET", `/api/chat/conversations/${newest.id}`) };
}

/** Deletes a conversation and returns the one to show then. Doing it again is harmless. */
export async function deleteConversation(id: string): Promise<Conversation | null> {
  await call("DELETE", `/api/chat/conversations/${id}`);
  return latestConversation();
}
