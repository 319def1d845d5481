import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Body } from '../model/body.js';
import { LIMITS } from '../model/limits.js';
import type { DirectiveHeader, Envelope } from '../ports/transport.js';
import { violation } from './frames.js';
import { packHeader, unpackHeader } from './header-bytes.js';

/** Longest record: a directive with its sizes, and a small body. */
export const RECORD_BYTES: number = LIMITS.controlFrameBytes + LIMITS.inlineBodyBytes;

/** A record as it is about to be written: how long it gets, and all that goes into it. */
export interface OutgoingRecord {
  readonly byteLength: number;
  readonly head: Uint8Array;
  readonly sizes: readonly number[];
  /** The body, when it travels with the directive. */
  readonly parts: readonly Uint8Array[];
}

/** Where a record lies. */
export interface RecordPlace {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** A record as it was read. */
export interface IncomingRecord {
  readonly header: DirectiveHeader;
  /** Byte lengths of the body's parts; none without a body. */
  readonly sizes: readonly number[];
  /** The body, when it came with the directive. */
  readonly parts: readonly Uint8Array[] | undefined;
}

const NONE: readonly never[] = [];
/** A body that is at least one part in so many of the memory it lies in may keep that alive. */
const MOST_PART = 2;
/** Most bytes of one varint: seven bits each, for numbers up to 2^53 - 1. */
const VARINT_BYTES = 8;

/**
 * Packs the directive of an envelope and measures its record.
 * @param isInline - whether the body, which then has parts, travels in the record.
 * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` when the header is not plain data, `PROTOCOL_MALFORMED` when
 *   header and sizes are longer than `LIMITS.controlFrameBytes`, `BYTES_MALFORMED` when a body contradicts itself.
 */
export function recordOf({ header, body }: Envelope, isInline: boolean): OutgoingRecord {
  const head = packHeader(header);
  const sizes = body?.sizes ?? NONE;
  const parts = (isInline && body?.parts) || NONE;
  let control = varintLength(head.byteLength) + head.byteLength + varintLength(sizes.length);
  for (const size of sizes) control += varintLength(size);
  if (body) checkSizes(body, parts);
  if (control > LIMITS.controlFrameBytes) {
    throw violation(
      `A directive ${String(header['type'])} with ${sizes.length} sizes takes ${control} bytes; ` +
        `at most ${LIMITS.controlFrameBytes} can be sent`,
    );
  }
  return { byteLength: control + (parts.length > 0 && body ? body.byteLength : 0), head, sizes, parts };
}

/** Writes a record into memory that has room for all of it. */
export function putRecord(target: Uint8Array, start: number, record: OutgoingRecord): void {
  let at = putVarint(target, start, record.head.byteLength);
  target.set(record.head, at);
  at = putVarint(target, at + record.head.byteLength, record.sizes.length);
  for (const size of record.sizes) at = putVarint(target, at, size);
  for (const part of record.parts) {
    target.set(part, at);
    at += part.byteLength;
  }
}

/**
 * Reads a whole record.
 *
 * The parts of a body are views of the memory that it lies in when little else is in there: a view keeps all of it
 * alive. Else they are copied.
 * @param isStreamed - whether the body comes in frames of its own.
 * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`.
 */
export function readRecord({ bytes, start, end }: RecordPlace, isStreamed: boolean): IncomingRecord {
  const reader = new VarintReader(bytes, start, end);
  const headLength = reader.next('the length of a header');
  const headEnd = reader.position + headLength;
  if (headEnd > end) throw violation(`a header of ${headLength} bytes is cut short`);
  const header = unpackHeader(bytes.subarray(reader.position, headEnd));
  reader.position = headEnd;
  const sizes = readSizes(reader, end);
  const control = reader.position - start;
  if (control > LIMITS.controlFrameBytes)
    throw violation(`a directive takes ${control} bytes; at most ${LIMITS.controlFrameBytes} may be sent`);
  const rest = end - reader.position;
  if (isStreamed || sizes.length === 0) {
    if (rest > 0) throw violation(`${rest} bytes stand behind a directive`);
    if (isStreamed && sizes.length === 0) throw violation('a body that streams has no sizes');
    return { header, sizes, parts: undefined };
  }
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > LIMITS.inlineBodyBytes)
    throw violation(
      `a body of ${total} bytes came with its directive; at most ${LIMITS.inlineBodyBytes} may`,
    );
  if (total !== rest) throw violation(`a body of ${total} bytes came with ${rest}`);
  const isMost = MOST_PART * rest >= bytes.byteLength;
  const body = isMost ? bytes.subarray(reader.position, end) : bytes.slice(reader.position, end);
  return { header, sizes, parts: cut(body, sizes) };
}

/** What contradicts itself here would be taken for a breach of the protocol over there. */
function checkSizes({ byteLength, sizes }: Body, parts: readonly Uint8Array[]): void {
  let total = 0;
  for (const size of sizes) total += size;
  const fits = parts.length === 0 || parts.length === sizes.length;
  if (
    fits &&
    total === byteLength &&
    sizes.length > 0 &&
    parts.every((part, index) => part.byteLength === sizes[index])
  )
    return;
  throw new RoutineEngineError(
    'BYTES_MALFORMED',
    `A body of ${byteLength} bytes has ${sizes.length} sizes that add up to ${total}, and ${parts.length} parts`,
  );
}

function readSizes(reader: VarintReader, end: number): readonly number[] {
  const count = reader.next('the number of sizes');
  if (count > end - reader.position) throw violation(`${count} sizes are cut short`);
  if (count === 0) return NONE;
  const sizes: number[] = [];
  let total = 0;
  for (let index = 0; index < count; index += 1) {
    const size = reader.next('a size');
    total += size;
    sizes.push(size);
  }
  if (!Number.isSafeInteger(total)) throw violation('the sizes of a body add up to more than 2^53');
  return sizes;
}

function cut(body: Uint8Array, sizes: readonly number[]): readonly Uint8Array[] {
  if (sizes.length === 1) return [body];
  let at = 0;
  return sizes.map((size) => {
    at += size;
    return body.subarray(at - size, at);
  });
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
  return length;
}

function putVarint(target: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    target[at] = (rest % 0x80) | 0x80;
    at += 1;
  }
  target[at] = rest;
  return at + 1;
}

/** Reads whole numbers of seven bits a byte, the lowest first; the last byte of each is below 128. */
class VarintReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  position: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.position = start;
    this.#end = end;
  }

  next(what: string): number {
    let value = 0;
    let scale = 1;
    for (let length = 1; length <= VARINT_BYTES; length += 1) {
      const byte = this.#bytes[this.position];
      if (byte === undefined || this.position >= this.#end) throw violation(`${what} is cut short`);
      this.position += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        // One way to write each number: a zero on top would be a second.
        if ((byte === 0 && length > 1) || !Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 0x80;
    }
    throw violation(`${what} is not written as numbers are`);
  }
}
