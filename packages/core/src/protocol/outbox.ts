import { Fifo } from './fifo.js';
import { FRAME_HEADER_BYTES, putFrameHeader } from './frames.js';

/** Memory for a message at first; most are small. */
const FIRST_BYTES = 256;

/**
 * Gathers frames into messages: as many as fit, in order, whole. Each message has memory of its own, which goes to the
 * pipe with it.
 */
export class Outbox {
  readonly #messageBytes: number;
  readonly #full = new Fifo<Uint8Array>();
  #fullBytes = 0;
  #memory: Uint8Array = new Uint8Array(0);
  #length = 0;
  /** Length of the last message: the next is likely to be like it. */
  #expected = FIRST_BYTES;

  /** @param messageBytes - longest message. */
  constructor(messageBytes: number) {
    this.#messageBytes = messageBytes;
  }

  /** Bytes that wait here. */
  get byteLength(): number {
    return this.#fullBytes + this.#length;
  }

  /** The memory of the message that is being gathered, until the next frame begins. */
  get memory(): Uint8Array {
    return this.#memory;
  }

  /**
   * Begins a frame whose payload the caller writes into {@link memory} at once.
   * @param length - bytes of the payload to be written here; with the frame's header at most a message.
   * @param declared - the length to declare, when the payload follows elsewhere.
   * @returns where the payload goes.
   */
  begin(type: number, flags: number, stream: number, length: number, declared: number = length): number {
    const needed = FRAME_HEADER_BYTES + length;
    if (needed > this.#messageBytes - this.#length) this.#close();
    this.#makeRoom(needed);
    const at = putFrameHeader(this.#memory, this.#length, type, flags, stream, declared);
    this.#length += needed;
    return at;
  }

  /** Adds a frame with its payload. */
  write(type: number, flags: number, stream: number, payload: Uint8Array): void {
    const at = this.begin(type, flags, stream, payload.byteLength);
    this.#memory.set(payload, at);
  }

  /** Takes the next message that is full. */
  takeFull(): Uint8Array | undefined {
    const message = this.#full.shift();
    if (message) this.#fullBytes -= message.byteLength;
    return message;
  }

  /** Takes the next message, full or not. */
  take(): Uint8Array | undefined {
    if (this.#full.length === 0) this.#close();
    return this.takeFull();
  }

  #close(): void {
    if (this.#length === 0) return;
    this.#full.push(this.#memory.subarray(0, this.#length));
    this.#fullBytes += this.#length;
    this.#expected = Math.max(FIRST_BYTES, this.#length);
    this.#memory = new Uint8Array(0);
    this.#length = 0;
  }

  #makeRoom(needed: number): void {
    const total = this.#length + needed;
    if (total <= this.#memory.byteLength) return;
    const wanted = Math.max(total, this.#length === 0 ? this.#expected : 2 * this.#memory.byteLength);
    const memory = new Uint8Array(Math.max(total, Math.min(wanted, this.#messageBytes)));
    memory.set(this.#memory.subarray(0, this.#length));
    this.#memory = memory;
  }
}
