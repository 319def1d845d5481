import { Worker } from 'node:worker_threads';
import { Packr } from 'msgpackr';

/** A bare MessagePort to a thread with the same codec, one post a turn: what dispatch can't be faster than. */
export class RawThread {
  readonly #worker = new Worker(new URL('./echo-thread.js', import.meta.url));
  readonly #packr = new Packr({ useRecords: false });
  readonly #waiting = new Map<number, (result: number) => void>();
  #calls: [id: number, args: [number]][] = [];
  #id = 0;

  constructor() {
    this.#worker.on('message', (packed: Uint8Array) => {
      for (const [id, result] of this.#packr.unpack(packed) as [number, number][]) {
        this.#waiting.get(id)?.(result);
        this.#waiting.delete(id);
      }
    });
  }

  call(n: number): Promise<number> {
    return new Promise((resolve) => {
      this.#id += 1;
      this.#waiting.set(this.#id, resolve);
      this.#calls.push([this.#id, [n]]);
      if (this.#calls.length === 1) setImmediate(() => this.#flush());
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #flush(): void {
    this.#worker.postMessage(Uint8Array.prototype.slice.call(this.#packr.pack(this.#calls)));
    this.#calls = [];
  }
}
