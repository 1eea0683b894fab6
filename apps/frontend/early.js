// @ts-check
// What runs first in every page (app/layout.tsx); the comments are left out there.

(() => {
  // The theme that was chosen, before anything is drawn.
  const theme = /(?:^|; )theme=(light|dark)(?:;|$)/.exec(document.cookie)?.[1];
  if (theme) document.documentElement.dataset.theme = theme;

  // While the frontend is updated, a pod that has another build may be asked for a file of this
  // page. It is asked for again, until there is none of this page's build left to answer.
  const FILES = `${location.origin}/_next/static/`;
  const PAUSES = [100, 200, 400, 800, 1600, 3200, 6400];
  /** @type {Map<string, number>} */
  const failures = new Map();

  // Once for a file: one that still fails then is missing for good, or blocked in this browser.
  const reload = () => {
    for (const url of failures.keys()) sessionStorage.setItem(url, "reloaded");
    location.reload();
  };
  /** @type {(url: string) => boolean} */
  const mayReload = (url) => {
    try {
      return sessionStorage.getItem(url) === null;
    } catch {
      // Cookies are blocked, so nothing would tell the next page of this one.
      return false;
    }
  };

  // Without all its scripts the page would say for ever that it is loading.
  const giveUp = () => {
    const status = document.querySelector("[aria-busy] [role=status]");
    if (status) status.textContent = "Part of this page could not be loaded. Please try again later.";
  };

  addEventListener(
    "error",
    (event) => {
      const failed = event.target;
      const isScript = failed instanceof HTMLScriptElement;
      if (!isScript && !(failed instanceof HTMLLinkElement && failed.rel === "stylesheet")) return;
      const url = isScript ? failed.src : failed.href;
      // What an extension, say, has put into the page.
      if (!url.startsWith(FILES)) return;
      const count = failures.get(url) ?? 0;
      failures.set(url, count + 1);
      const pause = PAUSES[count];
      if (pause === undefined && !mayReload(url)) {
        if (isScript) giveUp();
        return;
      }
      // Nobody else gives up on it.
      event.stopImmediatePropagation();
      if (pause === undefined) {
        // Without a network, the browser's own page would take this one's place.
        if (navigator.onLine) reload();
        else addEventListener("online", reload, { once: true });
        return;
      }
      setTimeout(() => {
        // Made anew, since a clone of a script that failed never runs.
        const next = document.createElement(failed.tagName);
        for (const { name, value } of failed.attributes) next.setAttribute(name, value);
        failed.replaceWith(next);
      }, pause);
    },
    true,
  );
})();
