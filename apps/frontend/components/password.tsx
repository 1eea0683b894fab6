import { type ComponentProps } from "react";
import { atMost, LONGEST } from "@/lib/limits";

/** A field for a password that has to be given. */
export function Password(attributes: ComponentProps<"input">) {
  return <input type="password" required {...atMost(LONGEST.password)} {...attributes} />;
}
