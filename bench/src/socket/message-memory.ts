import { MessageChannel } from 'node:worker_threads';
import { LIMITS } from '@routine-engine/core/adapter';

/** Memories that are kept: more than the windows of one connection let be under way. */
const MOST_SPARE = 32;
/** Shorter messages get memory as it comes. */
const LEAST_BYTES = LIMITS.chunkBytes / 4;

const { port1: nowhere, port2 } = new MessageChannel();
port2.close();
nowhere.unref();

/**
 * Frees memory now. What is left to the garbage collector counts until it comes, and makes it come often.
 * @param bytes - all of their ArrayBuffer, which is no pool.
 */
export function free({ buffer }: Uint8Array): void {
  // It goes to a port that nobody has the other end of.
  nowhere.postMessage(undefined, [buffer as ArrayBuffer]);
}

/** The memories of one connection's long messages, used again and again. */
export class MessageMemory {
  readonly #spare: ArrayBuffer[] = [];

  /** Not cleared first: every byte of it is to be filled. */
  take(byteLength: number): Uint8Array {
    if (byteLength < LEAST_BYTES || byteLength > LIMITS.chunkBytes) return Buffer.allocUnsafeSlow(byteLength);
    const memory = this.#spare.pop() ?? Buffer.allocUnsafeSlow(LIMITS.chunkBytes).buffer;
    return new Uint8Array(memory, 0, byteLength);
  }

  /** Takes memory back that {@link MessageMemory.take} gave; any other is left alone. */
  giveBack({ buffer, byteLength }: Uint8Array): void {
    const isOurs = buffer.byteLength === LIMITS.chunkBytes && byteLength >= LEAST_BYTES;
    if (isOurs && this.#spare.length < MOST_SPARE) this.#spare.push(buffer as ArrayBuffer);
  }
}
