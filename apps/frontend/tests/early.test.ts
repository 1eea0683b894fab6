import { createContext, runInContext } from "node:vm";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EARLY } from "@/lib/early.mts";

const ORIGIN = "https://todo.example.com";
const SCRIPT = `${ORIGIN}/_next/static/chunks/0a1b.js`;

class FakeElement {
  attributes = [];
  asked = 1;
  replaceWith(): void {
    this.asked += 1;
  }
}
class FakeScript extends FakeElement {
  constructor(public src: string) {
    super();
  }
}
class FakeLink extends FakeElement {
  rel = "stylesheet";
  constructor(public href: string) {
    super();
  }
}

/** A tab of a browser: what it keeps when its page is loaded anew, which `load` does. */
class Tab {
  kept = new Map<string, string>();
  reloads = 0;
  /** What the page says of itself. */
  status = { textContent: "Loading…" };
  storage: object | undefined = {
    getItem: (key: string) => this.kept.get(key) ?? null,
    setItem: (key: string, value: string) => this.kept.set(key, value),
  };
  navigator = { onLine: true };
  #listeners: Record<string, (event: object) => void> = {};

  load(): this {
    const storage = this.storage;
    const status = (this.status = { textContent: "Loading…" });
    const page = {
      document: {
        cookie: "",
        createElement: () => ({ setAttribute: () => undefined }),
        querySelector: () => status,
      },
      location: { origin: ORIGIN, reload: () => (this.reloads += 1) },
      navigator: this.navigator,
      get sessionStorage() {
        if (!storage) throw new Error("SecurityError");
        return storage;
      },
      HTMLScriptElement: FakeScript,
      HTMLLinkElement: FakeLink,
      setTimeout,
      addEventListener: (type: string, listener: () => void) => (this.#listeners[type] = listener),
    };
    runInContext(EARLY, createContext(page));
    return this;
  }

  /** Lets a file fail whenever it is asked for; returns whether others hear of the last time. */
  async fail(target: FakeElement): Promise<boolean> {
    for (let asked = 0; asked < target.asked; asked++) {
      const stopImmediatePropagation = vi.fn();
      this.#listeners.error?.({ target, stopImmediatePropagation });
      await vi.runAllTimersAsync();
      if (asked + 1 === target.asked) return stopImmediatePropagation.mock.calls.length === 0;
    }
    return true;
  }

  connect(): void {
    this.#listeners.online?.({});
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test.each([new FakeScript(SCRIPT), new FakeLink(`${ORIGIN}/_next/static/x.css`)])(
  "a file that stays away is asked for again, and its page loaded anew once",
  async (file) => {
    const tab = new Tab().load();
    expect(await tab.fail(file)).toBe(false);
    expect(file.asked).toBe(8);
    expect(tab.reloads).toBe(1);
    file.asked = 1;
    expect(await tab.load().fail(file)).toBe(true);
    expect(file.asked).toBe(8);
    expect(tab.reloads).toBe(1);
  },
);

test("the page of another build is loaded anew, too", async () => {
  const tab = new Tab().load();
  await tab.fail(new FakeScript(SCRIPT));
  await tab.load().fail(new FakeScript(`${ORIGIN}/_next/static/chunks/2c3d.js`));
  expect(tab.reloads).toBe(2);
});

test.each([
  "https://ads.example.org/_next/static/x.js",
  "chrome-extension://abc/x.js",
  `${ORIGIN}/other.js`,
  "",
])("%s is left to those whose it is", async (url) => {
  const tab = new Tab().load();
  const script = new FakeScript(url);
  expect(await tab.fail(script)).toBe(true);
  expect([script.asked, tab.reloads]).toEqual([1, 0]);
});

test.each([
  ["a script", new FakeScript(SCRIPT), /could not be loaded/],
  ["a style sheet", new FakeLink(`${ORIGIN}/_next/static/x.css`), /Loading/],
])("a page that has to do without %s says what it can", async (_, file, words) => {
  const tab = new Tab().load();
  await tab.fail(file);
  expect(tab.status.textContent).toBe("Loading…");
  file.asked = 1;
  await tab.load().fail(file);
  expect(tab.status.textContent).toMatch(words);
});

test("without a network the page stays until there is one", async () => {
  const tab = new Tab().load();
  tab.navigator.onLine = false;
  await tab.fail(new FakeScript(SCRIPT));
  expect(tab.reloads).toBe(0);
  tab.connect();
  expect(tab.reloads).toBe(1);
});

test("where nothing can be kept, no page is loaded anew for ever", async () => {
  const tab = new Tab();
  tab.storage = undefined;
  expect(await tab.load().fail(new FakeScript(SCRIPT))).toBe(true);
  expect(tab.reloads).toBe(0);
});
