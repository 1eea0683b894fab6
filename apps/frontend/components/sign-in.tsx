"use client";

import { useState, type SubmitEvent } from "react";
import { ApiError, call, type Me } from "@/lib/api";
import { atMost, LONGEST, SHORTEST_PASSWORD, newPasswordProblem } from "@/lib/limits";
import { Field } from "./field";
import { Password } from "./password";

/** One form to sign in or to create an account. */
export function SignIn({
  note,
  email,
  onSignedIn,
}: {
  note?: string;
  email?: string;
  onSignedIn: (me: Me) => void;
}) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const button = event.nativeEvent.submitter as HTMLButtonElement | null;
    const path = button?.value === "sign-up" ? "/api/auth/sign-up" : "/api/auth/sign-in";
    const fields = new FormData(event.currentTarget);
    const body = { email: fields.get("email"), password: fields.get("password") };
    const problem = path.endsWith("sign-up") && newPasswordProblem(String(body.password));
    if (problem) {
      setError(problem);
      return;
    }
    setBusy(true);
    setError(undefined);
    try {
      onSignedIn(await call<Me>("POST", path, body));
    } catch (failure) {
      setBusy(false);
      if (!(failure instanceof ApiError)) throw failure;
      setError(failure.inForm);
    }
  }

  return (
    <main className="card narrow">
      <h2>Your todos</h2>
      {note && <p role="status">{note}</p>}
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <Field label="Email">
          {(id) => (
            <input
              id={id}
              name="email"
              type="email"
              autoComplete="username"
              defaultValue={email}
              {...atMost(LONGEST.email)}
              required
              autoFocus
            />
          )}
        </Field>
        <Field label="Password">
          {(id) => (
            <Password
              id={id}
              name="password"
              autoComplete="current-password"
              aria-describedby="password-hint"
            />
          )}
        </Field>
        <p id="password-hint" className="hint">
          New here? Choose a password of at least {SHORTEST_PASSWORD} characters and create an account.
        </p>
        {error && (
          <p className="notice error" role="alert">
            {error}
          </p>
        )}
        <div className="row">
          <button type="submit" className="primary" value="sign-in" disabled={busy}>
            Sign in
          </button>
          <button type="submit" value="sign-up" disabled={busy}>
            Create account
          </button>
        </div>
      </form>
    </main>
  );
}
