"use client";

import { useEffect, useRef, useState, type SubmitEvent } from "react";
import { ApiError, call, type Me } from "@/lib/api";
import { SHORTEST_PASSWORD, newPasswordProblem } from "@/lib/limits";
import { Field } from "./field";
import { Password } from "./password";

interface Props {
  me: Me;
  onClose: () => void;
  onDeleted: () => void;
  onExpired: () => void;
}

/** A dialog to change the password, end other sessions, and delete the account. */
export function Account({ me, onClose, onDeleted, onExpired }: Props) {
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState<string>();
  const [error, setError] = useState<string>();
  const dialog = useRef<HTMLDialogElement>(null);

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  /** Runs one change and says what came of it. */
  async function run(done: string, action: () => Promise<unknown>): Promise<boolean> {
    setBusy(true);
    setError(undefined);
    setSaid(undefined);
    try {
      await action();
      setSaid(done);
      return true;
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      if (failure.status === 401 && (await isSignedOut())) onExpired();
      else setError(failure.inForm);
      return false;
    } finally {
      setBusy(false);
    }
  }

  async function changePassword(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const body = {
      current_password: String(fields.get("current_password")),
      new_password: String(fields.get("new_password")),
    };
    const problem = newPasswordProblem(body.new_password);
    if (problem) {
      setSaid(undefined);
      setError(problem);
      return;
    }
    const done = "Your password is changed, and your other sessions have ended.";
    if (await run(done, () => call("POST", "/api/me/password", body, []))) form.reset();
  }

  async function deleteAccount(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const password = new FormData(event.currentTarget).get("password");
    if (await run("", () => call("DELETE", "/api/me", { password }, []))) onDeleted();
  }

  return (
    <dialog ref={dialog} className="card account" aria-labelledby="account-heading" onClose={onClose}>
      <div className="split">
        <h2 id="account-heading">Your account</h2>
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      <p className="email">{me.email}</p>
      <p role="status" className={said ? "notice good" : undefined}>
        {said}
      </p>
      {error && (
        <p className="notice error" role="alert">
          {error}
        </p>
      )}
      <form className="stack" aria-label="Change password" onSubmit={(event) => void changePassword(event)}>
        <h3>Password</h3>
        <Username email={me.email} />
        <Field label="Current password">
          {(id) => <Password id={id} name="current_password" autoComplete="current-password" />}
        </Field>
        <Field label="New password">
          {(id) => (
            <Password
              id={id}
              name="new_password"
              autoComplete="new-password"
              aria-describedby="new-password-hint"
            />
          )}
        </Field>
        <p id="new-password-hint" className="hint">
          At least {SHORTEST_PASSWORD} characters. You stay signed in here, and nowhere else.
        </p>
        <div className="row">
          <button type="submit" className="primary" disabled={busy}>
            Change password
          </button>
        </div>
      </form>
      <section className="stack part" aria-labelledby="sessions-heading">
        <h3 id="sessions-heading">Other sessions</h3>
        <p className="hint">Signs you out in every other browser and app.</p>
        <div className="row">
          <button
            type="button"
            disabled={busy}
            onClick={() =>
              void run("Your other sessions have ended.", () => call("POST", "/api/me/end-other-sessions"))
            }
          >
            End other sessions
          </button>
        </div>
      </section>
      <form
        className="stack part"
        aria-label="Delete account"
        onSubmit={(event) => void deleteAccount(event)}
      >
        <h3>Delete account</h3>
        <p className="hint">Deletes your account with all todos and conversations. It cannot be undone.</p>
        <Username email={me.email} />
        <Field label="Password to delete the account">
          {(id) => <Password id={id} name="password" autoComplete="current-password" />}
        </Field>
        <div className="row">
          <button type="submit" className="danger" disabled={busy}>
            Delete account
          </button>
        </div>
      </form>
    </dialog>
  );
}

/** Tells password managers whose password it is. */
function Username({ email }: { email: string }) {
  return <input type="text" name="username" autoComplete="username" value={email} readOnly hidden />;
}

/** Tells a wrong password from a session that has ended. */
async function isSignedOut(): Promise<boolean> {
  try {
    await call("GET", "/api/me");
    return false;
  } catch (failure) {
    return failure instanceof ApiError && failure.status === 401;
  }
}
