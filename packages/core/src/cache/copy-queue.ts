import type { Clock, Timer } from '../ports/clock.js';

/** How a {@link CopyQueue} works. */
export interface CopyQueueSettings {
  readonly clock: Pick<Clock, 'after'>;
  /** Copies that are made at once. */
  readonly atOnce: number;
  /** Copies that are made or wait, at most. */
  readonly most: number;
  /** How often a copy is tried. While copies fail in spite of that, each of the next ones is tried once only. */
  readonly attempts: number;
}

/** A copy that is to be made. */
export interface Copy {
  /** Makes it; ends when the signal aborts. Again, when it rejected and is tried once more. */
  run(signal: AbortSignal): Promise<void>;
  /** It was given up. */
  failed(error: unknown): void;
}

interface Job {
  readonly copy: Copy;
  readonly controller: AbortController;
  /** Once it has begun. Never rejects. */
  ended?: Promise<void>;
}

/** Before the second attempt, in milliseconds; twice as long before each further one. */
const FIRST_PAUSE_MS = 200;

/** Copies that nobody waits for: one of each id at a time, a few at once, and no more than a number in all. */
export class CopyQueue {
  readonly #settings: CopyQueueSettings;
  /** Oldest first. */
  readonly #jobs = new Map<string, Job>();
  readonly #pauses = new Set<() => void>();
  #listeners: (() => void)[] = [];
  #running = 0;
  #isFailing = false;
  #isEnding = false;

  constructor(settings: CopyQueueSettings) {
    this.#settings = settings;
  }

  get isFull(): boolean {
    return this.#jobs.size >= this.#settings.most;
  }

  /** Has a copy made, unless one of that id is, or the queue ends. */
  add(id: string, copy: Copy): void {
    if (this.#isEnding || this.#jobs.has(id)) return;
    this.#jobs.set(id, { copy, controller: new AbortController() });
    this.#beginNext();
  }

  /** Resolves when it has room. */
  async room(): Promise<void> {
    while (this.isFull) await this.#change();
  }

  /** Resolves when no copy of that id is made or waits. */
  async settled(id: string): Promise<void> {
    while (this.#jobs.has(id)) await this.#change();
  }

  /** Gives up the copy of that id; resolves when it has ended. */
  async cancel(id: string): Promise<void> {
    const job = this.#jobs.get(id);
    job?.controller.abort();
    if (job && !job.ended) this.#remove(id);
    await job?.ended;
  }

  /** Takes no more; resolves when everything was copied, or given up after its attempts, now without pauses. */
  async drain(): Promise<void> {
    this.#isEnding = true;
    for (const end of this.#pauses) end();
    while (this.#jobs.size > 0) await this.#change();
  }

  /** Takes no more, and gives up everything. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(Array.from(this.#jobs.keys(), (id) => this.cancel(id)));
  }

  #beginNext(): void {
    for (const [id, job] of this.#jobs) {
      if (this.#running === this.#settings.atOnce) return;
      if (job.ended) continue;
      this.#running += 1;
      job.ended = this.#run(job).then(() => {
        this.#running -= 1;
        this.#remove(id);
        this.#beginNext();
      });
    }
  }

  async #run({ copy, controller }: Job): Promise<void> {
    const { signal } = controller;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        await copy.run(signal);
        this.#isFailing = false;
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (attempt >= this.#settings.attempts || this.#isFailing) {
          this.#isFailing = true;
          return copy.failed(error);
        }
        await this.#pause(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
      }
    }
  }

  /** Ends early when the queue does, or the copy is cancelled. */
  #pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.#isEnding) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#pauses.delete(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer: Timer = this.#settings.clock.after(milliseconds, end);
      this.#pauses.add(end);
      signal.addEventListener('abort', end, { once: true });
    });
  }

  #remove(id: string): void {
    this.#jobs.delete(id);
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const hear of listeners) hear();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#listeners.push(resolve));
  }
}
