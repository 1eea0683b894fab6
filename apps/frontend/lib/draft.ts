import { newId } from "./api";

/**
 * The id of a todo that is not known to be stored.
 *
 * The same values keep it, so that sending them again after a lost answer adds them once; other
 * values are another todo and get another id, or the server would take them for the first.
 */
export class Draft {
  #id = "";
  #values = "";

  /** Returns the id to send these values with. */
  idFor(values: unknown): string {
    const text = JSON.stringify(values);
    if (!this.#id || text !== this.#values) this.#id = newId();
    this.#values = text;
    return this.#id;
  }

  /** The values are stored, or the id belongs to something else: the next one is new. */
  settle(): void {
    this.#id = "";
  }
}
