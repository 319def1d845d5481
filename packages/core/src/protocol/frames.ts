import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { LIMITS } from '../model/limits.js';

/** Version of the framing this package speaks. `docs/protocol.md` specifies it. */
const FRAMING_VERSION = 1;

/** What a frame is; its first byte. */
export const FrameType = {
  /** First of all, once each way: version and windows. */
  start: 0,
  /** A directive, its sizes, and its body when that is small; or a piece of all this. */
  envelope: 1,
  /** Bytes of a body. */
  data: 2,
  /** sender of a body -> its receiver: that was all of it. */
  end: 3,
  /** sender of a body -> its receiver: the rest will not come. */
  reset: 4,
  /** receiver of a body -> its sender: send no more of it. */
  stop: 5,
  /** receiver -> sender: so many more bytes may come; on stream 0 for the connection. */
  credit: 6,
} as const;

/** Bits of a frame's second byte. */
export const FrameFlag = {
  none: 0,
  /** On an envelope: the next envelope frame goes on with it. */
  more: 1,
  /** On data: nobody asked for these bytes; they count in the window of the connection. */
  early: 1,
  /** On data, as the last frame of a message: its payload is the whole next message. */
  detached: 2,
} as const;

/** Type, flags, stream (32 bits) and length of the payload (32 bits), both little endian. */
export const FRAME_HEADER_BYTES = 10;
/** Longest message of a pipe. */
export const MESSAGE_BYTES: number = LIMITS.chunkBytes;
/** Largest stream id. */
export const LAST_STREAM = 0xffff_ffff;
/** Longest payload of a reset: it fits into the smallest message of a pipe. */
export const REASON_BYTES = 512;

const MAGIC = Uint8Array.of(0x52, 0x54, 0x4e, 0x47);
const START_BYTES = 14;

/** What each side says of itself at the start: how much the other may send it before it is asked. */
export interface StartFrame {
  /** Bytes of one body that may come before its reader asks. */
  readonly initialWindowBytes: number;
  /** Bytes of all bodies together that may have come unasked and are not read yet. */
  readonly connectionWindowBytes: number;
}

/** Writes the header of a frame. @returns where its payload begins. */
export function putFrameHeader(
  target: Uint8Array,
  at: number,
  type: number,
  flags: number,
  stream: number,
  length: number,
): number {
  target[at] = type;
  target[at + 1] = flags;
  putUint32(target, at + 2, stream);
  putUint32(target, at + 6, length);
  return at + FRAME_HEADER_BYTES;
}

/** The payload of a start frame. */
export function startPayload(start: StartFrame): Uint8Array {
  const payload = new Uint8Array(START_BYTES);
  payload.set(MAGIC);
  payload[4] = FRAMING_VERSION;
  putUint32(payload, 6, start.initialWindowBytes);
  putUint32(payload, 10, start.connectionWindowBytes);
  return payload;
}

/**
 * Reads the payload of a start frame.
 * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`, or `PROTOCOL_VERSION` naming both versions.
 */
export function readStart(payload: Uint8Array): StartFrame {
  if (payload.byteLength < START_BYTES || MAGIC.some((byte, index) => payload[index] !== byte)) {
    throw violation('the start is not that of a routine engine');
  }
  const version = (payload[4] ?? 0) | ((payload[5] ?? 0) << 8);
  if (version !== FRAMING_VERSION) {
    throw new RoutineEngineError(
      'PROTOCOL_VERSION',
      `The peer frames messages by version ${version}; this package by version ${FRAMING_VERSION}`,
    );
  }
  if (payload.byteLength !== START_BYTES) throw violation('the start has bytes behind its end');
  return { initialWindowBytes: uint32(payload, 6), connectionWindowBytes: uint32(payload, 10) };
}

/** The payload of a credit frame. */
export function creditPayload(bytes: number): Uint8Array {
  const payload = new Uint8Array(4);
  putUint32(payload, 0, bytes);
  return payload;
}

/** The payload of a reset: a stable code, a line feed, and a text for people, cut to {@link REASON_BYTES}. */
export function resetPayload(code: string, reason: string): Uint8Array {
  const bytes = Buffer.from(`${code}\n${reason}`);
  return bytes.byteLength <= REASON_BYTES ? bytes : bytes.subarray(0, REASON_BYTES);
}

/** Reads the payload of a reset. */
export function readReset(payload: Uint8Array): { readonly code: string; readonly reason: string } {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString();
  const split = text.indexOf('\n');
  return split < 0
    ? { code: text, reason: '' }
    : { code: text.slice(0, split), reason: text.slice(split + 1) };
}

/** What a peer did against the protocol. */
export function violation(detail: string, cause?: unknown): RoutineEngineError {
  return new RoutineEngineError('PROTOCOL_MALFORMED', detail, cause === undefined ? undefined : { cause });
}

function putUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value;
  target[at + 1] = value >>> 8;
  target[at + 2] = value >>> 16;
  target[at + 3] = value >>> 24;
}

export function uint32(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
  const high = (bytes[at + 2] ?? 0) | ((bytes[at + 3] ?? 0) << 8);
  return high * 0x1_0000 + low;
}
