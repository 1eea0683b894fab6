"use client";

import { useCallback, useEffect, useState } from "react";
import { ApiError, call, type Me } from "@/lib/api";
import { Away } from "./away";
import { Chat } from "./chat";
import { SignIn } from "./sign-in";
import { ThemeToggle } from "./theme-toggle";
import { Todos } from "./todos";

type Session =
  { state: "loading" } | { state: "away" } | { state: "out"; note?: string } | { state: "in"; me: Me };

/** Decides between signing in and the list, and says so when the service is away. */
export function App() {
  const [session, setSession] = useState<Session>({ state: "loading" });

  const [chatOpen, setChatOpen] = useState(false);
  const [version, setVersion] = useState(0);

  const load = useCallback(async () => {
    try {
      setSession({ state: "in", me: await call<Me>("GET", "/api/me") });
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      setSession(status === 401 ? { state: "out" } : { state: "away" });
    }
  }, []);

  useEffect(() => {
    void load();
  }, [load]);

  const expire = useCallback(() => {
    setSession({ state: "out", note: "Your session has ended. Please sign in again." });
  }, []);

  async function signOut() {
    try {
      await call("POST", "/api/auth/sign-out");
      setSession({ state: "out", note: "You are signed out." });
    } catch {
      setSession({ state: "away" });
    }
  }

  return (
    <>
      <header className="bar">
        <h1 className="brand">Todo</h1>
        {session.state === "in" && <p className="who">{session.me.email}</p>}
        {session.state === "in" && (
          <button
            type="button"
            className="chat-toggle"
            aria-expanded={chatOpen}
            aria-controls="chat"
            onClick={() => setChatOpen(!chatOpen)}
          >
            Chat
          </button>
        )}
        <ThemeToggle />
        {session.state === "in" && (
          <button type="button" onClick={() => void signOut()}>
            Sign out
          </button>
        )}
      </header>
      {session.state === "loading" && (
        <main className="card narrow" aria-busy="true">
          <p role="status">Loading…</p>
        </main>
      )}
      {session.state === "away" && (
        <main className="card narrow">
          <h2>Todo</h2>
          <Away onRetry={load} />
        </main>
      )}
      {session.state === "out" && (
        <SignIn note={session.note} onSignedIn={(me) => setSession({ state: "in", me })} />
      )}
      {session.state === "in" && (
        <main className={chatOpen ? "columns chat-open" : "columns"}>
          <Todos version={version} onExpired={expire} />
          <Chat onChanged={() => setVersion((last) => last + 1)} onExpired={expire} />
        </main>
      )}
    </>
  );
}
