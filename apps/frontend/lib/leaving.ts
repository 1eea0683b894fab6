/**
 * Remembers that somebody wants to be signed out while the service is away.
 *
 * The session's cookie is out of this page's reach: only the service can remove it. Until it has,
 * not even loading the page anew may show the todos: the next one at this computer may do that.
 */

const KEY = "signing-out";

export const leaving = {
  begin(): void {
    localStorage.setItem(KEY, "yes");
  },
  isUnderWay(): boolean {
    return localStorage.getItem(KEY) !== null;
  },
  end(): void {
    localStorage.removeItem(KEY);
  },
};
