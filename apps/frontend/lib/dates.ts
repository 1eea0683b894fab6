/** Dates without times, as ISO strings, in the browser's own time zone. */

export function isoDate(date: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function day(iso: string): number {
  return Math.round(Date.parse(`${iso}T00:00:00Z`) / 86_400_000);
}

/** "today", "tomorrow", "Friday", "31 Jan 2026". */
export function describeDue(due: string, today: string): string {
  const away = day(due) - day(today);
  if (away === 0) return "today";
  if (away === 1) return "tomorrow";
  if (away === -1) return "yesterday";
  const date = new Date(`${due}T00:00:00Z`);
  const form: Intl.DateTimeFormatOptions =
    away > 1 && away < 7 ? { weekday: "long" } : { day: "numeric", month: "short", year: "numeric" };
  return new Intl.DateTimeFormat("en-GB", { ...form, timeZone: "UTC" }).format(date);
}

export function isOverdue(due: string, today: string): boolean {
  return due < today;
}
