import { LIMITS } from '../model/limits.js';
import type { Clock } from '../ports/clock.js';
import type { MessagePipe } from '../ports/message-pipe.js';
import type { Envelope } from '../ports/transport.js';
import { putRecord, recordOf, type OutgoingRecord } from './envelope-record.js';
import {
  FRAME_HEADER_BYTES,
  FrameFlag,
  FrameType,
  MESSAGE_BYTES,
  creditPayload,
  resetPayload,
  startPayload,
  type StartFrame,
} from './frames.js';
import type { BodyReplies } from './incoming-bodies.js';
import type { MultiplexLimits } from './multiplex-limits.js';
import { OutgoingBodies, type BodyNotices, type OutgoingPiece } from './outgoing-bodies.js';
import { Outbox } from './outbox.js';

/** Data of at most this size is copied into a message with other frames; larger data is a message of its own. */
const COPIED_BYTES = 16 * 1024;
const NOTHING = new Uint8Array(0);
/** Memories of messages that are kept to be used again: more than a pipe has in hand at once. */
const MOST_SPARE = 16;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * The sending half of a connection. Frames of one turn go out together; directives and what keeps streams going
 * overtake bytes of bodies, which go only while the pipe has room.
 */
export class FrameSender implements BodyReplies, BodyNotices {
  readonly bodies: OutgoingBodies;
  readonly #pipe: MessagePipe;
  readonly #clock: Clock;
  readonly #limits: MultiplexLimits;
  readonly #onLost: (error: Error) => void;
  readonly #messageBytes: number;
  /** Those who send wait before: what goes beyond this are answers to a peer that asks on and on, and reads none. */
  readonly #mostUnread: number;
  readonly #outbox: Outbox;
  /** Of the longest message's length each. */
  readonly #spare: Uint8Array[] = [];
  #waiting: Waiting[] = [];
  #onIdle: (() => void) | undefined;
  /** Whether a pump is about to run, or runs. */
  #isScheduled = false;
  #isPipeFull = false;
  #closed: Error | undefined;

  /** @param onLost - hears when the pipe takes nothing more. */
  constructor(pipe: MessagePipe, clock: Clock, limits: MultiplexLimits, onLost: (error: Error) => void) {
    this.#pipe = pipe;
    this.#clock = clock;
    this.#limits = limits;
    this.#onLost = onLost;
    this.#messageBytes = Math.min(pipe.capabilities.largestMessageBytes, MESSAGE_BYTES);
    this.#mostUnread = 4 * Math.max(limits.connectionWindowBytes, LIMITS.controlFrameBytes);
    this.#outbox = new Outbox(this.#messageBytes);
    this.bodies = new OutgoingBodies(this);
  }

  /**
   * Whether a sender should wait. Bodies that stream don't count: they wait where they come from, and for readers that
   * may want to hear something else before.
   */
  get isFull(): boolean {
    const { connectionWindowBytes, openBodies } = this.#limits;
    return this.#outbox.byteLength >= connectionWindowBytes || 2 * this.bodies.size >= openBodies;
  }

  /** Resolves when {@link isFull} is false; rejects when the sender closes before. */
  drained(): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closed);
    if (!this.isFull) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Opens the conversation. */
  sendStart(start: StartFrame): void {
    this.#write(FrameType.start, 0, startPayload(start));
  }

  /** Sends a directive, and begins to send its body. @throws what {@link recordOf} throws. */
  sendEnvelope(envelope: Envelope): void {
    const { body } = envelope;
    const isInline = body?.parts !== undefined && body.byteLength <= this.#limits.inlineBodyBytes;
    const record = recordOf(envelope, isInline);
    const stream = body && !isInline ? this.bodies.open(body) : 0;
    if (FRAME_HEADER_BYTES + record.byteLength <= this.#messageBytes) {
      const at = this.#outbox.begin(FrameType.envelope, FrameFlag.none, stream, record.byteLength);
      putRecord(this.#outbox.memory, at, record);
    } else this.#writePieces(stream, record);
    this.onChange();
  }

  sendCredit(stream: number, bytes: number): void {
    this.#write(FrameType.credit, stream, creditPayload(bytes));
  }

  sendStop(stream: number): void {
    this.#write(FrameType.stop, stream, NOTHING);
  }

  sendEnd(stream: number): void {
    this.#write(FrameType.end, stream, NOTHING);
  }

  sendReset(stream: number, code: string, reason: string): void {
    this.#write(FrameType.reset, stream, resetPayload(code, reason));
  }

  /** Sends at the end of this turn what there is to send. */
  onChange(): void {
    if (this.#closed) return;
    if (this.#outbox.byteLength > this.#mostUnread) return this.#onLost(new Error('the peer reads nothing'));
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.nextTurn(() => this.#pump());
  }

  /** Calls back once, when everything that was given to it is with the pipe. */
  whenIdle(callback: () => void): void {
    this.#onIdle = callback;
    this.onChange();
  }

  /** Sends no more; those who wait get the error. */
  close(error: Error): void {
    if (this.#closed) return;
    this.#closed = error;
    this.bodies.close();
    this.rejectWaiting(error);
  }

  /** Lets nobody wait for room any longer. */
  rejectWaiting(error: Error): void {
    for (const { reject } of this.#takeWaiting()) reject(error);
  }

  #write(type: number, stream: number, payload: Uint8Array): void {
    if (this.#closed) return;
    this.#outbox.write(type, FrameFlag.none, stream, payload);
    this.onChange();
  }

  /** A record that is longer than a message goes in several. */
  #writePieces(stream: number, record: OutgoingRecord): void {
    const bytes = new Uint8Array(record.byteLength);
    putRecord(bytes, 0, record);
    const most = this.#messageBytes - FRAME_HEADER_BYTES;
    for (let at = 0; at < bytes.byteLength; at += most) {
      const flag = at + most < bytes.byteLength ? FrameFlag.more : FrameFlag.none;
      this.#outbox.write(FrameType.envelope, flag, stream, bytes.subarray(at, at + most));
    }
  }

  #pump(): void {
    // What this sets off is sent by it.
    this.#isScheduled = true;
    this.#sendAll();
    this.#isScheduled = false;
    this.#tellRoom();
  }

  #sendAll(): void {
    while (!this.#isPipeFull && !this.#closed) {
      const message = this.#outbox.takeFull();
      if (message) {
        this.#post(message);
        continue;
      }
      const piece = this.bodies.next(this.#messageBytes);
      if (piece) this.#sendPiece(piece);
      else if (this.#outbox.byteLength > 0) this.#post(this.#outbox.take());
      else break;
    }
  }

  #sendPiece({ stream, bytes, isEarly, isLent, released }: OutgoingPiece): void {
    const flag = isEarly ? FrameFlag.early : FrameFlag.none;
    if (bytes.byteLength <= COPIED_BYTES && FRAME_HEADER_BYTES + bytes.byteLength <= this.#messageBytes) {
      this.#outbox.write(FrameType.data, flag, stream, bytes);
      released?.();
      return;
    }
    this.#outbox.begin(FrameType.data, flag | FrameFlag.detached, stream, 0, bytes.byteLength);
    for (let message = this.#outbox.take(); message; message = this.#outbox.take()) this.#post(message);
    if (isLent) this.#postCopy(bytes);
    else this.#post(bytes, released);
  }

  /** In memory that the pipe gave back, where it does: else a long body would leave all of itself to the collector. */
  #postCopy(bytes: Uint8Array): void {
    const length = this.#messageBytes;
    if (2 * bytes.byteLength < length) return this.#post(new Uint8Array(bytes));
    const memory = this.#spare.pop() ?? new Uint8Array(length);
    memory.set(bytes);
    this.#post(memory.subarray(0, bytes.byteLength), () => {
      if (this.#spare.length < MOST_SPARE) this.#spare.push(memory);
    });
  }

  #post(message: Uint8Array | undefined, released?: () => void): void {
    if (!message || this.#closed) return;
    try {
      if (this.#pipe.send(message, released)) return;
    } catch (error) {
      this.#onLost(error as Error);
      return;
    }
    if (this.#isPipeFull) return;
    this.#isPipeFull = true;
    this.#pipe.drained().then(
      () => {
        this.#isPipeFull = false;
        this.#pump();
      },
      (error: Error) => this.#onLost(error),
    );
  }

  #tellRoom(): void {
    if (this.#closed) return;
    if (this.#waiting.length > 0 && !this.isFull) for (const { resolve } of this.#takeWaiting()) resolve();
    if (this.#onIdle && this.#outbox.byteLength === 0 && this.bodies.size === 0) {
      const onIdle = this.#onIdle;
      this.#onIdle = undefined;
      onIdle();
    }
  }

  #takeWaiting(): Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
