import type { Todo } from "./api";

export type Change = Partial<Pick<Todo, "title" | "done" | "priority" | "due_date">>;

/** What forms make of line breaks. */
const lines = (text: string): string => text.replace(/\r\n?/g, "\n");

/**
 * The fields that differ from what the form showed when it was opened.
 *
 * Only these are sent: meanwhile others may have been changed elsewhere, and a form cannot tell the
 * kinds of line breaks apart.
 */
export function changes(shown: Todo, now: Pick<Todo, "title" | "priority" | "due_date">): Change {
  const change: Change = {};
  if (lines(now.title) !== lines(shown.title)) change.title = lines(now.title);
  if (now.priority !== shown.priority) change.priority = now.priority;
  if (now.due_date !== shown.due_date) change.due_date = now.due_date;
  return change;
}
