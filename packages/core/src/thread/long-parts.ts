import { ArrivingPart } from '../model/arriving-part.js';
import type { Encoded } from '../model/encoded.js';
import type { LongPart, ToGuest, ToHost } from './messages.js';
import type { ParcelPort } from './parcel-port.js';

/** Parts from this size on are handed over in pieces: shorter ones are copied before anybody could begin to send them. */
export const LONG_PART_BYTES = 16 * 1024 * 1024;
/** The first piece is short, so that it can be sent soon; the next is copied in less time than this one takes to send. */
const FIRST_BYTES = 4 * 1024 * 1024;
/**
 * Few pieces, since each counts in the heap that it comes to; and each below 32 MiB, the most that C's `malloc` keeps to give
 * out again: memory of its own from the system costs four times as much as the copying.
 */
const MOST_BYTES = 31 * 1024 * 1024;
const EMPTY = new Uint8Array(0);

/**
 * Copies parts, piece by piece, and sends each piece as soon as it is copied. When this returns the parts may change. What was
 * sent before goes out first.
 */
export function sendPieces(port: ParcelPort<ToHost, ToGuest>, long: ReadonlyMap<number, Uint8Array>): void {
  port.flush();
  for (const [part, bytes] of long) {
    let length = FIRST_BYTES;
    for (let at = 0; at < bytes.byteLength; length = Math.min(2 * length, MOST_BYTES)) {
      const end = Math.min(at + length, bytes.byteLength);
      // Not cleared first: all of it is filled.
      const piece: Uint8Array = Buffer.allocUnsafeSlow(end - at);
      piece.set(bytes.subarray(at, end));
      port.send({ kind: 'piece', part }, { head: EMPTY, buffers: [piece] }, true);
      port.flush();
      at = end;
    }
  }
}

/** The long parts of a value, as they come. */
export class ArrivingParts {
  /** Resolves when all pieces have come, or will not. */
  readonly come: Promise<void>;
  readonly #parts: ReadonlyMap<number, ArrivingPart>;
  #missingBytes: number;
  #onCome: () => void = () => undefined;

  constructor(parts: readonly LongPart[]) {
    this.#parts = new Map(parts.map(({ part, byteLength }) => [part, new ArrivingPart(byteLength)]));
    this.#missingBytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.come = new Promise((resolve) => (this.#onCome = resolve));
  }

  /** Takes the next piece in. */
  add(part: number, piece: Uint8Array): void {
    this.#parts.get(part)?.add(piece);
    this.#missingBytes -= piece.byteLength;
    if (this.#missingBytes === 0) this.#onCome();
  }

  /** What has not come will not come. */
  fail(error: Error): void {
    for (const part of this.#parts.values()) part.fail(error);
    this.#onCome();
  }

  /** The value with these parts in their places. */
  addedTo(value: Encoded): Encoded {
    const blobs = new Map(value.blobs);
    for (const [part, arriving] of this.#parts) blobs.set(part, arriving);
    return { ...value, blobs };
  }
}
