import { expect, test } from "vitest";
import type { Todo } from "@/lib/api";
import { changes } from "@/lib/changes";
import { Draft } from "@/lib/draft";
import { lengthProblem, newPasswordProblem } from "@/lib/limits";

const todo: Todo = {
  id: "1",
  title: "line 1\r\nline 2",
  done: false,
  priority: "low",
  due_date: "2026-01-28",
  created_at: "",
  updated_at: "",
};
const { title, priority, due_date } = todo;

test("a draft keeps its id while it is sent again, and gets another when its fields change", () => {
  const draft = new Draft();
  const milk = draft.idFor({ title: "milk" });
  expect(draft.idFor({ title: "milk" })).toBe(milk);
  const bread = draft.idFor({ title: "bread" });
  expect(bread).not.toBe(milk);
  expect(draft.idFor({ title: "bread" })).toBe(bread);
});

test("what is stored does not give its id to the next todo, not even to one of the same name", () => {
  const draft = new Draft();
  const first = draft.idFor({ title: "milk" });
  draft.settle();
  expect(draft.idFor({ title: "milk" })).not.toBe(first);
});

test("only fields that differ from what the form showed are sent", () => {
  expect(changes(todo, { title, priority, due_date })).toEqual({});
  expect(changes(todo, { title, priority: "high", due_date })).toEqual({ priority: "high" });
  expect(changes(todo, { title, priority, due_date: null })).toEqual({ due_date: null });
  expect(changes(todo, { title: "x", priority, due_date })).toEqual({ title: "x" });
});

test("line breaks that a form writes in its own way are no change, and stay in a changed title", () => {
  expect(changes(todo, { title: "line 1\nline 2", priority, due_date })).toEqual({});
  expect(changes(todo, { title: "line 1\r\nline 3", priority, due_date })).toEqual({
    title: "line 1\nline 3",
  });
});

test("an emoji counts as one character", () => {
  expect(lengthProblem("🏠".repeat(500), 500)).toBe("");
  expect(lengthProblem("🏠".repeat(501), 500)).toMatch(/at most 500 characters; these are 501/);
});

test("a password that somebody chooses has to be long enough, in characters", () => {
  expect(newPasswordProblem("0123456789")).toBe("");
  expect(newPasswordProblem("🔑".repeat(10))).toBe("");
  expect(newPasswordProblem("🔑".repeat(9))).toBe("Please choose a password of at least 10 characters.");
});
