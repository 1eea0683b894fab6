"use client";

import { useEffect, useRef, useState, type KeyboardEvent, type SubmitEvent } from "react";
import { PRIORITIES, type Priority, type Todo } from "@/lib/api";
import { changes, type Change } from "@/lib/changes";
import { describeDue, isOverdue } from "@/lib/dates";
import { atMost, LAST_DAY, LONGEST } from "@/lib/limits";
import { Field } from "./field";
import { Icon } from "./icon";

interface Props {
  todo: Todo;
  today: string;
  onChange: (values: Change) => Promise<boolean>;
  onDelete: () => Promise<void>;
}

/** One todo: a checkbox named by its title, and buttons to edit and delete it. */
export function TodoItem({ todo, today, onChange, onDelete }: Props) {
  const [shown, setShown] = useState<Todo>(); // as it was when the form was opened
  const [busy, setBusy] = useState(false);
  const editButton = useRef<HTMLButtonElement>(null);

  const editing = shown !== undefined;
  const wasEditing = useRef(false);

  useEffect(() => {
    if (wasEditing.current && !editing) editButton.current?.focus();
    wasEditing.current = editing;
  }, [editing]);

  async function toggle(done: boolean) {
    if (busy) return; // not disabled, which would take the keyboard focus away
    setBusy(true);
    await onChange({ done });
    setBusy(false);
  }

  async function save(event: SubmitEvent<HTMLFormElement>, opened: Todo) {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const title = String(fields.get("title"));
    if (!title.trim()) return;
    const change = changes(opened, {
      title,
      priority: fields.get("priority") as Priority,
      due_date: String(fields.get("due_date")) || null,
    });
    setBusy(true);
    const saved = Object.keys(change).length === 0 || (await onChange(change));
    setBusy(false);
    if (saved) setShown(undefined);
  }

  async function remove() {
    setBusy(true);
    await onDelete();
    setBusy(false);
  }

  if (shown) {
    const title = {
      name: "title",
      defaultValue: shown.title,
      required: true,
      autoFocus: true,
      autoComplete: "off",
      ...atMost(LONGEST.title),
    };
    return (
      <li>
        <form
          className="add"
          aria-label={`Edit ${shown.title}`}
          onSubmit={(event) => void save(event, shown)}
          onKeyDown={(event: KeyboardEvent) => event.key === "Escape" && setShown(undefined)}
        >
          <Field label="Edit title" wide>
            {(id) =>
              /[\r\n]/.test(shown.title) ? (
                <textarea id={id} rows={shown.title.split(/\r\n?|\n/).length} {...title} />
              ) : (
                <input id={id} {...title} />
              )
            }
          </Field>
          <Field label="Edit priority">
            {(id) => (
              <select id={id} name="priority" defaultValue={shown.priority}>
                {PRIORITIES.map((priority) => (
                  <option key={priority}>{priority}</option>
                ))}
              </select>
            )}
          </Field>
          <Field label="Edit due date">
            {(id) => (
              <input id={id} name="due_date" type="date" max={LAST_DAY} defaultValue={shown.due_date ?? ""} />
            )}
          </Field>
          <div className="row">
            <button type="submit" className="primary" disabled={busy}>
              Save
            </button>
            <button type="button" onClick={() => setShown(undefined)}>
              Cancel
            </button>
          </div>
        </form>
      </li>
    );
  }

  const overdue = todo.due_date !== null && !todo.done && isOverdue(todo.due_date, today);
  return (
    <li className={todo.done ? "todo done" : "todo"} aria-busy={busy}>
      <label className="check">
        <input type="checkbox" checked={todo.done} onChange={(event) => void toggle(event.target.checked)} />
        <span dir="auto">{todo.title}</span>
      </label>
      <span className="marks">
        {todo.priority !== "normal" && <span className={`mark ${todo.priority}`}>{todo.priority}</span>}
        {todo.due_date && (
          <time className={overdue ? "mark overdue" : "mark"} dateTime={todo.due_date}>
            {overdue ? "overdue: " : ""}
            {describeDue(todo.due_date, today)}
          </time>
        )}
      </span>
      <span className="actions">
        <button
          ref={editButton}
          type="button"
          className="icon"
          aria-label={`Edit ${todo.title}`}
          onClick={() => setShown(todo)}
        >
          <Icon name="edit" />
        </button>
        <button
          type="button"
          className="icon"
          aria-label={`Delete ${todo.title}`}
          disabled={busy}
          onClick={() => void remove()}
        >
          <Icon name="delete" />
        </button>
      </span>
    </li>
  );
}
