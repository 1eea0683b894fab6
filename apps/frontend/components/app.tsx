"use client";

import { useCallback, useEffect, useState } from "react";
import { ApiError, call, type Me } from "@/lib/api";
import { leaving } from "@/lib/leaving";
import { Account } from "./account";
import { Away } from "./away";
import { Chat } from "./chat";
import { Icon } from "./icon";
import { SignIn } from "./sign-in";
import { ThemeToggle } from "./theme-toggle";
import { Todos } from "./todos";

type Session =
  | { state: "loading" }
  | { state: "away" }
  | { state: "leaving" }
  | { state: "out"; note?: string }
  /** Expired: the page stays behind the form to sign in, with what was typed. */
  | { state: "in"; me: Me; expired?: boolean };

/** Decides between signing in and the list, and says so when the service is away. */
export function App() {
  const [session, setSession] = useState<Session>({ state: "loading" });

  const [chatOpen, setChatOpen] = useState(false);
  const [accountOpen, setAccountOpen] = useState(false);
  const [version, setVersion] = useState(0);

  const load = useCallback(async () => {
    try {
      setSession({ state: "in", me: await call<Me>("GET", "/api/me") });
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      setSession(status === 401 ? { state: "out" } : { state: "away" });
    }
  }, []);

  const signOut = useCallback(async () => {
    leaving.begin();
    try {
      await call("POST", "/api/auth/sign-out");
      leaving.end();
      setSession({ state: "out", note: "You are signed out." });
    } catch {
      setSession({ state: "leaving" });
    }
  }, []);

  useEffect(() => {
    void (leaving.isUnderWay() ? signOut() : load());
  }, [load, signOut]);

  const expire = useCallback(() => {
    setAccountOpen(false);
    setSession((last) => (last.state === "in" ? { ...last, expired: true } : { state: "out" }));
  }, []);

  function signedIn(me: Me) {
    setSession({ state: "in", me });
    setVersion((last) => last + 1);
  }

  function deleted() {
    setAccountOpen(false);
    setSession({ state: "out", note: "Your account and everything in it is deleted." });
  }

  const me = session.state === "in" ? session.me : undefined;
  const expired = session.state === "in" && session.expired === true;
  return (
    <>
      <header className="bar">
        <h1 className="brand">Todo</h1>
        {me && !expired && (
          <>
            <p className="who">{me.email}</p>
            <button
              type="button"
              className="chat-toggle"
              aria-expanded={chatOpen}
              aria-controls="chat"
              onClick={() => setChatOpen(!chatOpen)}
            >
              Chat
            </button>
          </>
        )}
        <ThemeToggle />
        {me && !expired && (
          <>
            <button type="button" className="icon" aria-label="Account" onClick={() => setAccountOpen(true)}>
              <Icon name="account" />
            </button>
            <button type="button" onClick={() => void signOut()}>
              Sign out
            </button>
          </>
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
      {session.state === "leaving" && (
        <main className="card narrow">
          <h2>Signing out</h2>
          <Away onRetry={signOut} note="You are not signed out yet; this page keeps trying." />
        </main>
      )}
      {session.state === "out" && <SignIn note={session.note} onSignedIn={signedIn} />}
      {expired && (
        <SignIn
          note="Your session has ended. Please sign in again."
          email={me?.email}
          onSignedIn={signedIn}
        />
      )}
      {me && (
        // Another account gets a page of its own: nothing that somebody else has typed.
        <main key={me.id} className={chatOpen ? "columns chat-open" : "columns"} hidden={expired}>
          <Todos version={version} onExpired={expire} />
          <Chat onChanged={() => setVersion((last) => last + 1)} onExpired={expire} />
        </main>
      )}
      {me && accountOpen && (
        <Account me={me} onClose={() => setAccountOpen(false)} onDeleted={deleted} onExpired={expire} />
      )}
    </>
  );
}
