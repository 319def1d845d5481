import { EventEmitter } from 'node:events';

/** One end of a channel that does what a MessagePort does, within one thread and without its cost. */
export class LocalPort extends EventEmitter {
  #other: LocalPort | undefined;
  #queue: unknown[] = [];
  #isClosing = false;
  #isClosed = false;
  #isScheduled = false;

  /** Two ends of one channel. */
  static pair(): readonly [LocalPort, LocalPort] {
    const [one, two] = [new LocalPort(), new LocalPort()];
    one.#other = two;
    two.#other = one;
    return [one, two];
  }

  postMessage(message: unknown): void {
    if (this.#isClosing) return;
    const other = this.#other;
    if (!other) return;
    other.#queue.push(message);
    other.#schedule();
  }

  /** What was posted before still arrives at the other end; then both are closed. */
  close(): void {
    for (const end of [this, this.#other]) {
      if (!end) continue;
      end.#isClosing = true;
      end.#schedule();
    }
    this.#queue = [];
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      for (const message of this.#queue.splice(0)) this.emit('message', message);
      if (!this.#isClosing || this.#isClosed) return;
      this.#isClosed = true;
      this.emit('close');
    });
  }
}
