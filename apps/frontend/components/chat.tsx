"use client";

import { useEffect, useRef, useState, type SubmitEvent } from "react";
import { AWAY, ApiError, newId } from "@/lib/api";
import { ask, deleteConversation, latestConversation, type Turn } from "@/lib/chat";
import { isoDate } from "@/lib/dates";
import { atMost, LONGEST } from "@/lib/limits";
import { Field } from "./field";

interface Props {
  onChanged: () => void;
  onExpired: () => void;
}

/** A conversation that can change the list. */
export function Chat({ onChanged, onExpired }: Props) {
  const [turns, setTurns] = useState<Turn[]>([]);
  const [pending, setPending] = useState<Turn>();
  const [failed, setFailed] = useState<string>();
  const [deleting, setDeleting] = useState(false);
  const conversation = useRef(newId());
  const touched = useRef(false);
  const log = useRef<HTMLDivElement>(null);
  const stop = useRef<AbortController>(null);
  const busy = deleting || (pending !== undefined && failed === undefined);

  useEffect(() => {
    let current = true;
    latestConversation()
      .then((found) => {
        if (!current || touched.current || !found) return;
        conversation.current = found.id;
        setTurns(found.turns);
      })
      .catch(() => undefined); // the list already says that the service is away
    return () => {
      current = false;
      stop.current?.abort();
    };
  }, []);

  useEffect(() => {
    log.current?.scrollTo({ top: log.current.scrollHeight });
  }, [turns, pending, failed]);

  async function deliver(id: string, message: string) {
    const controller = new AbortController();
    stop.current = controller;
    let answer = "";
    setFailed(undefined);
    setPending({ id, message, answer });
    try {
      const question = { id, conversation_id: conversation.current, message, today: isoDate(new Date()) };
      await ask(
        question,
        (event) => {
          if (event.type === "changed") onChanged();
          if (event.type !== "delta") return;
          answer += event.text;
          setPending({ id, message, answer });
        },
        controller.signal,
      );
      setTurns((earlier) => [...earlier, { id, message, answer }]);
      setPending(undefined);
    } catch (error) {
      if (controller.signal.aborted) return;
      fail(error);
    }
  }

  function fail(error: unknown) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) onExpired();
    setFailed(error.away ? AWAY : error.message);
  }

  function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const message = String(new FormData(event.currentTarget).get("message"));
    if (busy || !message.trim()) return;
    touched.current = true;
    event.currentTarget.reset();
    void deliver(newId(), message);
  }

  function startAnew() {
    stop.current?.abort();
    touched.current = true;
    conversation.current = newId();
    setTurns([]);
    setPending(undefined);
    setFailed(undefined);
  }

  /** A message that could not be sent stays: it may be what there was no room for. */
  async function remove() {
    if (busy || !window.confirm("Delete this conversation? It cannot be undone.")) return;
    const { current: id } = conversation;
    touched.current = true;
    setDeleting(true);
    try {
      const next = await deleteConversation(id);
      if (conversation.current !== id) return;
      conversation.current = next?.id ?? newId();
      setTurns(next?.turns ?? []);
      setFailed(pending && "Your last message is not answered yet.");
      log.current?.focus(); // the button may be gone
    } catch (error) {
      fail(error);
    } finally {
      setDeleting(false);
    }
  }

  const shown = pending ? [...turns, pending] : turns;
  return (
    <section id="chat" className="card chat" aria-labelledby="chat-heading">
      <div className="split">
        <h2 id="chat-heading">Chat</h2>
        {shown.length > 0 && (
          <div className="row">
            <button type="button" className="danger" aria-disabled={busy} onClick={() => void remove()}>
              Delete conversation
            </button>
            <button type="button" onClick={startAnew}>
              New conversation
            </button>
          </div>
        )}
      </div>
      <div ref={log} className="log" role="log" aria-label="Conversation" aria-busy={busy} tabIndex={0}>
        {shown.length === 0 && (
          <p className="hint">Say what to do, for example “add buy milk tomorrow”, “list today” or “help”.</p>
        )}
        {shown.map((turn) => (
          <div key={turn.id} className="turn">
            <p className="mine" dir="auto">
              <span className="visually-hidden">You: </span>
              {turn.message}
            </p>
            {turn.answer && (
              <p className="answer" dir="auto">
                <span className="visually-hidden">Answer: </span>
                {turn.answer}
              </p>
            )}
          </div>
        ))}
      </div>
      {failed && (
        <div className="notice error" role="alert">
          <p>{failed}</p>
          {pending && (
            <button
              type="button"
              disabled={deleting}
              onClick={() => void deliver(pending.id, pending.message)}
            >
              Send again
            </button>
          )}
        </div>
      )}
      <form className="ask" onSubmit={submit}>
        <Field label="Message" wide>
          {(id) => <input id={id} name="message" required autoComplete="off" {...atMost(LONGEST.message)} />}
        </Field>
        <button type="submit" className="primary" disabled={busy}>
          Send
        </button>
      </form>
    </section>
  );
}
