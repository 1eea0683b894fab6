export interface GateOptions {
  /** Requests that are worked on at the same time. */
  running: number;
  /** Requests that wait for their turn; what comes on top is turned away. */
  waiting: number;
  /** Longest wait in milliseconds; then a request is turned away, too. */
  patience: number;
}

/** Lets a bounded number of requests in at a time, in the order they came. */
export class Gate {
  #running = 0;
  readonly #queue: ((admitted: boolean) => void)[] = [];
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** Resolves to true when it is the caller's turn, who then calls leave(); to false to turn it away. */
  enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#running < this.#options.running) {
      this.#running++;
      return Promise.resolve(true);
    }
    if (this.#queue.length >= this.#options.waiting) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (admitted: boolean) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", giveUp);
        resolve(admitted);
      };
      const giveUp = () => {
        this.#queue.splice(this.#queue.indexOf(settle), 1);
        settle(false);
      };
      const timer = setTimeout(giveUp, this.#options.patience);
      signal.addEventListener("abort", giveUp);
      this.#queue.push(settle);
    });
  }

  /** Gives the turn to the next in the queue. */
  leave(): void {
    const next = this.#queue.shift();
    if (next) next(true);
    else this.#running--;
  }
}
