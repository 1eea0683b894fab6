"use client";

import { useCallback, useEffect, useRef, useState, type SubmitEvent } from "react";
import { ApiError, call, listPath, PRIORITIES, type Filter, type Todo, type TodoPage } from "@/lib/api";
import type { Change } from "@/lib/changes";
import { Draft } from "@/lib/draft";
import { atMost, LAST_DAY, LONGEST } from "@/lib/limits";
import { Away } from "./away";
import { Field } from "./field";
import { TodoItem } from "./todo-item";
import { useToday } from "./today";

const PAGE = 50;
const MOST = 200;

const firstCharacters = (text: string): string => Array.from(text).slice(0, LONGEST.search).join("");

const isSame = (one: FormData, other: FormData): boolean =>
  JSON.stringify([...one.entries()]) === JSON.stringify([...other.entries()]);

/** The list with everything that changes it. */
export function Todos({ version, onExpired }: { version: number; onExpired: () => void }) {
  const [filter, setFilter] = useState<Filter>({ search: "", show: "all", limit: PAGE });
  const [page, setPage] = useState<TodoPage>();
  const [away, setAway] = useState(false);
  const [error, setError] = useState<string>();
  const [said, setSaid] = useState("");
  const [adding, setAdding] = useState(false);
  const newTitle = useRef<HTMLInputElement>(null);
  const draft = useRef(new Draft());
  const latest = useRef(0);
  const today = useToday();

  const fail = useCallback(
    (failure: unknown) => {
      if (!(failure instanceof ApiError)) throw failure;
      if (failure.status === 401) onExpired();
      else if (failure.away) setAway(true);
      else setError(failure.message);
    },
    [onExpired],
  );

  const load = useCallback(async () => {
    const mine = ++latest.current;
    try {
      const loaded = await call<TodoPage>("GET", listPath(filter));
      if (mine !== latest.current) return; // a later search has overtaken this one
      setPage(loaded);
      setAway(false);
    } catch (failure) {
      if (mine === latest.current) fail(failure);
    }
  }, [filter, fail]);

  useEffect(() => {
    const timer = setTimeout(() => void load(), filter.search ? 200 : 0);
    return () => clearTimeout(timer);
  }, [load, filter.search, version]);

  /** Runs one change, then shows the list as the server has it. */
  async function run(announcement: string, action: () => Promise<unknown>): Promise<boolean> {
    setError(undefined);
    try {
      await action();
      setSaid(announcement);
      await load();
      return true;
    } catch (failure) {
      fail(failure);
      return false;
    }
  }

  async function add(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const fields = new FormData(form);
    const values = {
      title: String(fields.get("title")),
      priority: fields.get("priority"),
      due_date: fields.get("due_date") || null,
    };
    if (!values.title.trim()) return;
    setAdding(true);
    const added = await run(`Added ${values.title}`, async () => {
      try {
        await call("POST", "/api/todos", { id: draft.current.idFor(values), ...values });
      } catch (failure) {
        if (failure instanceof ApiError && failure.status === 409) draft.current.settle();
        throw failure;
      }
      draft.current.settle();
    });
    setAdding(false);
    if (!added || !isSame(fields, new FormData(form))) return; // what was typed meanwhile stays
    form.reset();
    newTitle.current?.focus();
  }

  const change = (todo: Todo, values: Change) =>
    run(
      values.done === undefined
        ? `Saved ${values.title ?? todo.title}`
        : `${todo.title} is ${values.done ? "done" : "open"}`,
      () => call("PATCH", `/api/todos/${todo.id}`, values),
    );

  async function remove(todo: Todo) {
    const removed = await run(`Deleted ${todo.title}`, () =>
      call("DELETE", `/api/todos/${todo.id}`).catch((failure: unknown) => {
        if (!(failure instanceof ApiError && failure.status === 404)) throw failure; // already gone
      }),
    );
    if (removed) newTitle.current?.focus();
  }

  return (
    <section className="card" aria-labelledby="todos-heading">
      <h2 id="todos-heading">Your todos</h2>
      <form className="add" aria-label="Add a todo" onSubmit={(event) => void add(event)}>
        <Field label="New todo" wide>
          {(id) => (
            <input
              id={id}
              ref={newTitle}
              name="title"
              required
              autoComplete="off"
              {...atMost(LONGEST.title)}
            />
          )}
        </Field>
        <Field label="Priority">
          {(id) => (
            <select id={id} name="priority" defaultValue="normal">
              {PRIORITIES.map((priority) => (
                <option key={priority}>{priority}</option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Due date">{(id) => <input id={id} name="due_date" type="date" max={LAST_DAY} />}</Field>
        <button type="submit" className="primary" disabled={adding}>
          Add todo
        </button>
      </form>
      <div className="filters" role="search">
        <Field label="Search todos" wide>
          {(id) => (
            <input
              id={id}
              type="search"
              value={filter.search}
              onChange={(event) =>
                setFilter({ ...filter, search: firstCharacters(event.target.value), limit: PAGE })
              }
            />
          )}
        </Field>
        <Field label="Show">
          {(id) => (
            <select
              id={id}
              value={filter.show}
              onChange={(event) =>
                setFilter({ ...filter, show: event.target.value as Filter["show"], limit: PAGE })
              }
            >
              <option value="all">all</option>
              <option value="open">open</option>
              <option value="done">done</option>
            </select>
          )}
        </Field>
      </div>
      {away && <Away onRetry={load} />}
      {error && (
        <p className="notice error" role="alert">
          {error}
        </p>
      )}
      <p className="visually-hidden" role="status">
        {said}
      </p>
      {page && (
        <>
          <ul className="todos" aria-label="Todos">
            {page.items.map((todo) => (
              <TodoItem
                key={todo.id}
                todo={todo}
                today={today}
                onChange={(values) => change(todo, values)}
                onDelete={() => remove(todo)}
              />
            ))}
          </ul>
          {page.items.length === 0 && (
            <p className="empty">
              {filter.search || filter.show !== "all" ? "Nothing matches." : "Nothing to do yet."}
            </p>
          )}
          {page.items.length < page.total && filter.limit < MOST && (
            <button type="button" onClick={() => setFilter({ ...filter, limit: filter.limit + PAGE })}>
              Show more ({page.items.length} of {page.total})
            </button>
          )}
          {page.items.length < page.total && filter.limit >= MOST && (
            <p className="hint">
              These are the first {MOST} of {page.total}; search to find the others.
            </p>
          )}
        </>
      )}
    </section>
  );
}
