import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { RECORD_BYTES, type RecordPlace } from './envelope-record.js';
import {
  FRAME_HEADER_BYTES,
  FrameFlag,
  FrameType,
  MESSAGE_BYTES,
  REASON_BYTES,
  readReset,
  readStart,
  uint32,
  violation,
  type StartFrame,
} from './frames.js';

/** Hears of each frame, in order. What it throws of `PROTOCOL_MALFORMED` is told with the place of the frame. */
export interface FrameHandler {
  onStart(start: StartFrame): void;
  /**
   * @param stream - of the body that follows; 0 when none does.
   * @param record - where the record lies in the message, or in fresh memory when it came in pieces.
   */
  onEnvelope(stream: number, record: RecordPlace): void;
  /** @param isAlone - whether the bytes are a message of their own. */
  onData(stream: number, bytes: Uint8Array, isEarly: boolean, isAlone: boolean): void;
  onEnd(stream: number): void;
  onReset(stream: number, code: string, reason: string): void;
  onStop(stream: number): void;
  /** @param stream - 0 for the connection. */
  onCredit(stream: number, bytes: number): void;
}

const NAMES: readonly string[] = Object.keys(FrameType);
/** Flags that each type of frame may carry. */
const ALLOWED_FLAGS: readonly number[] = [
  0,
  FrameFlag.more,
  FrameFlag.early | FrameFlag.detached,
  0,
  0,
  0,
  0,
];

/** A record whose pieces are still coming. */
interface Unfinished {
  readonly stream: number;
  memory: Uint8Array;
  length: number;
}

/** Data whose bytes are the next message. */
interface Announced {
  readonly stream: number;
  readonly isEarly: boolean;
  readonly byteLength: number;
}

/** Reads the messages of a peer that may send anything. Believes no length; keeps at most one unfinished record. */
export class FrameReader {
  readonly #handler: FrameHandler;
  #started = false;
  #stopped = false;
  #unfinished: Unfinished | undefined;
  #announced: Announced | undefined;
  #messages = 0;
  /** Where the frame in hand begins. */
  #at = 0;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Reads no more, not even the rest of the message in hand. */
  stop(): void {
    this.#stopped = true;
    this.#unfinished = undefined;
  }

  /**
   * Reads one message.
   * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED` with the place of what is wrong, or `PROTOCOL_VERSION`.
   *   Nothing may be read afterwards.
   */
  read(message: Uint8Array): void {
    if (this.#stopped) return;
    this.#messages += 1;
    this.#at = 0;
    try {
      const bytes = plainBytes(message);
      if (this.#announced) this.#readAnnounced(this.#announced, bytes);
      else this.#readFrames(bytes);
    } catch (error) {
      this.stop();
      throw this.#located(error);
    }
  }

  #readAnnounced({ stream, isEarly, byteLength }: Announced, message: Uint8Array): void {
    if (message.byteLength !== byteLength)
      throw violation(
        `${message.byteLength} bytes came where ${byteLength} of stream ${stream} were announced`,
      );
    this.#announced = undefined;
    this.#handler.onData(stream, message, isEarly, true);
  }

  #readFrames(message: Uint8Array): void {
    const end = message.byteLength;
    if (end === 0) throw violation('an empty message');
    if (end > MESSAGE_BYTES)
      throw violation(`a message of ${end} bytes; at most ${MESSAGE_BYTES} are allowed`);
    for (let at = 0; at < end && !this.#stopped;) {
      this.#at = at;
      if (end - at < FRAME_HEADER_BYTES) throw violation('the header of a frame is cut short');
      const type = message[at] as number;
      const flags = message[at + 1] as number;
      const length = uint32(message, at + 6);
      const payload = at + FRAME_HEADER_BYTES;
      checkFlags(type, flags);
      if (type === FrameType.data && flags & FrameFlag.detached) {
        if (payload !== end) throw violation('data of the next message is announced before the last frame');
        return this.#announce(uint32(message, at + 2), flags, length);
      }
      if (length > end - payload)
        throw violation(`a frame ${NAMES[type]} declares ${length} bytes where ${end - payload} are left`);
      at = payload + length;
      const stream = uint32(message, payload - 8);
      if (type === FrameType.envelope) this.#readEnvelope(flags, stream, message, payload, at);
      else this.#readFrame(type, flags, stream, message.subarray(payload, at));
    }
  }

  #announce(stream: number, flags: number, byteLength: number): void {
    this.#requireStart(FrameType.data);
    if (byteLength === 0 || byteLength > MESSAGE_BYTES)
      throw violation(`data of ${byteLength} bytes is announced; 1 to ${MESSAGE_BYTES} are allowed`);
    this.#announced = { stream: streamId(stream), isEarly: (flags & FrameFlag.early) !== 0, byteLength };
  }

  #readFrame(type: number, flags: number, stream: number, payload: Uint8Array): void {
    this.#requireStart(type);
    switch (type) {
      case FrameType.start:
        if (stream !== 0) throw violation(`the start is on stream ${stream}`);
        this.#started = true;
        return this.#handler.onStart(readStart(payload));
      case FrameType.data:
        if (payload.byteLength === 0) throw violation('data without bytes');
        return this.#handler.onData(streamId(stream), payload, flags === FrameFlag.early, false);
      case FrameType.end:
        requireLength(type, payload, 0);
        return this.#handler.onEnd(streamId(stream));
      case FrameType.reset: {
        if (payload.byteLength > REASON_BYTES) throw violation(`a reason of ${payload.byteLength} bytes`);
        const { code, reason } = readReset(payload);
        return this.#handler.onReset(streamId(stream), code, reason);
      }
      case FrameType.stop:
        requireLength(type, payload, 0);
        return this.#handler.onStop(streamId(stream));
      default:
        requireLength(type, payload, 4);
        return this.#handler.onCredit(stream, uint32(payload, 0));
    }
  }

  #readEnvelope(flags: number, stream: number, message: Uint8Array, start: number, end: number): void {
    this.#requireStart(FrameType.envelope);
    const hasMore = flags === FrameFlag.more;
    if (!this.#unfinished && !hasMore) {
      this.#handler.onEnvelope(stream, { bytes: message, start, end });
      return;
    }
    const unfinished = (this.#unfinished ??= { stream, memory: new Uint8Array(0), length: 0 });
    if (unfinished.stream !== stream)
      throw violation(`an envelope of stream ${unfinished.stream} goes on as one of stream ${stream}`);
    if (start === end) throw violation('a piece of an envelope without bytes');
    addPiece(unfinished, message.subarray(start, end));
    if (hasMore) return;
    this.#unfinished = undefined;
    this.#handler.onEnvelope(stream, { bytes: unfinished.memory, start: 0, end: unfinished.length });
  }

  #requireStart(type: number): void {
    if (this.#started === (type !== FrameType.start)) return;
    throw violation(this.#started ? 'a second start' : `a frame ${NAMES[type]} came before the start`);
  }

  #located(error: unknown): unknown {
    if (!(error instanceof RoutineEngineError) || error.code !== 'PROTOCOL_MALFORMED') return error;
    return violation(`Message ${this.#messages}, byte ${this.#at}: ${error.message}`, error.cause);
  }
}

function checkFlags(type: number, flags: number): void {
  const allowed = ALLOWED_FLAGS[type];
  if (allowed === undefined) throw violation(`a frame of the unknown type ${type}`);
  if ((flags & ~allowed) !== 0) throw violation(`a frame ${NAMES[type]} with the unknown flags ${flags}`);
}

function requireLength(type: number, payload: Uint8Array, length: number): void {
  if (payload.byteLength !== length)
    throw violation(`a frame ${NAMES[type]} of ${payload.byteLength} bytes; it has ${length}`);
}

function streamId(stream: number): number {
  if (stream === 0) throw violation('stream 0 carries no body');
  return stream;
}

/** Not as a Buffer: its `slice` would not copy. */
function plainBytes(message: Uint8Array): Uint8Array {
  if (message.constructor === Uint8Array) return message;
  return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
}

/** Copies a piece: a view would let a few bytes keep a whole message alive. */
function addPiece(unfinished: Unfinished, piece: Uint8Array): void {
  const length = unfinished.length + piece.byteLength;
  if (length > RECORD_BYTES) throw violation(`an envelope of more than ${RECORD_BYTES} bytes`);
  if (length > unfinished.memory.byteLength) {
    const memory = new Uint8Array(Math.min(RECORD_BYTES, Math.max(length, 2 * unfinished.memory.byteLength)));
    memory.set(unfinished.memory.subarray(0, unfinished.length));
    unfinished.memory = memory;
  }
  unfinished.memory.set(piece, unfinished.length);
  unfinished.length = length;
}
