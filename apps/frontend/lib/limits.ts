import type { FormEvent } from "react";

/** The API counts characters (code points), `maxLength` counts UTF-16 units: an emoji is two. */
export const characters = (text: string): number => Array.from(text).length;

export function lengthProblem(text: string, most: number): string {
  const length = characters(text);
  return length > most ? `Please use at most ${most} characters; these are ${length}.` : "";
}

/** Attributes of a text field that holds at most so many characters. */
export function atMost(most: number) {
  return {
    onInput: ({ currentTarget }: FormEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      currentTarget.setCustomValidity(lengthProblem(currentTarget.value, most)),
  };
}

/** The last day the API knows; without it, browsers take years of six digits. */
export const LAST_DAY = "9999-12-31";

export const LONGEST = { title: 500, search: 200, email: 254, password: 256, message: 2000 } as const;
export const SHORTEST_PASSWORD = 10;

/** What is wrong with a password that somebody chooses; nothing: "". */
export function newPasswordProblem(text: string): string {
  const enough = characters(text) >= SHORTEST_PASSWORD;
  return enough ? "" : `Please choose a password of at least ${SHORTEST_PASSWORD} characters.`;
}
