import type { MessagePort, TransferListItem, Worker } from 'node:worker_threads';
import { Packr } from 'msgpackr';
import type { Encoded } from '../model/encoded.js';
import type { Clock } from '../ports/clock.js';
import type { Parcel } from './messages.js';

/** Smaller memory is cheaper to copy than to transfer. */
const TRANSFER_BYTES = 64 * 1024;

/**
 * A body that computes without a pause never ends its turn: what it tells later than this, in milliseconds, after the
 * last post is posted at once.
 */
const STALE_MS = 20;

/** What is posted: many messages as one packed batch, and the out-of-band buffers of their values in order. */
type Batch = readonly [packed: Uint8Array, buffers: readonly Uint8Array[]];
type Entry<Message> = readonly [message: Message, head: Uint8Array | undefined, buffers: number];

/**
 * One end of the link between host and guest. What is sent during one turn of the loop goes as one post: cloning
 * one batch costs a fraction of cloning its messages one by one.
 */
export class ParcelPort<Out, In> {
  readonly #port: MessagePort | Worker;
  readonly #clock: Clock;
  readonly #packr = new Packr({ useRecords: true, moreTypes: false, structuredClone: false });
  #entries: Entry<Out>[] = [];
  #buffers: Uint8Array[] = [];
  #transfer: TransferListItem[] = [];
  #flushedAt = 0;

  constructor(port: MessagePort | Worker, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
  }

  /** Hears every parcel. One listener. */
  listen(listener: (parcel: Parcel<In>) => void): void {
    this.#port.on('message', ([packed, buffers]: Batch) => {
      let next = 0;
      for (const [message, head, count] of this.#packr.unpack(packed) as Entry<In>[]) {
        listener({ message, value: head && { head, buffers: buffers.slice(next, next + count) } });
        next += count;
      }
    });
  }

  /**
   * Sends a message at the end of this turn, or at once when the turn has been long.
   * @param value - goes along. With `own`, its buffers own their whole memory and the sender gives them up; else
   *   they are copied by the end of this call. Shared memory is neither: both ends see it from now on.
   */
  send(message: Out, value?: Encoded, own = false): void {
    this.#entries.push([message, value?.head, value?.buffers.length ?? 0]);
    for (const buffer of value?.buffers ?? []) {
      if (buffer.buffer instanceof SharedArrayBuffer) {
        this.#buffers.push(buffer);
        continue;
      }
      // Not `buffer.slice()`: a Buffer's own `slice` is a view.
      const sent = own ? buffer : Uint8Array.prototype.slice.call(buffer);
      this.#buffers.push(sent);
      if (sent.byteLength >= TRANSFER_BYTES) this.#transfer.push(sent.buffer as ArrayBuffer);
    }
    if (this.#clock.monotonic() - this.#flushedAt > STALE_MS) this.flush();
    else if (this.#entries.length === 1) this.#clock.nextTurn(() => this.flush());
  }

  /** Sends now what is waiting, and what is sent next at once as well. */
  flushForNext(): void {
    this.flush();
    this.#flushedAt = Number.NEGATIVE_INFINITY;
  }

  /** Sends now what is waiting. */
  flush(): void {
    if (this.#entries.length === 0) return;
    this.#flushedAt = this.#clock.monotonic();
    const packed = Uint8Array.prototype.slice.call(this.#packr.pack(this.#entries));
    const [buffers, transfer] = [this.#buffers, this.#transfer];
    this.#entries = [];
    this.#buffers = [];
    this.#transfer = [];
    const batch: Batch = [packed, buffers];
    try {
      this.#port.postMessage(batch, transfer);
    } catch (error) {
      if ((error as Error).name !== 'DataCloneError') throw error;
      // Such as of memory of WebAssembly, which can only be copied. Node 20 copies it unasked.
      this.#port.postMessage(batch);
    }
  }
}
