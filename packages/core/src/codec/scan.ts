import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { LIMITS } from '../model/limits.js';
import { malformed } from './refusals.js';

/** A key that msgpackr would rename in silence. */
const PROTO_KEY = Buffer.from('__proto__');

/** How many levels may stand around the root of a value, see `node-tags.ts`. */
export const ROOT_LEVELS = 2;
const DEEPEST = LIMITS.valueDepth + 1 + ROOT_LEVELS;
const remainingAt = new Float64Array(DEEPEST);
const isMapAt = new Uint8Array(DEEPEST);

/**
 * Walks over packed bytes before msgpackr sees them: whole, of known types only, map keys strings, lengths within the
 * bytes present, nesting and number of items within limits, nothing behind the end. Allocates nothing.
 *
 * @param start - where the packed tree begins.
 * @param depth - how many levels containers may nest, at most `LIMITS.valueDepth + 1 + ROOT_LEVELS`.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED` or `VALUE_TOO_DEEP`.
 */
export function scan(bytes: Uint8Array, start: number, depth: number): void {
  const end = bytes.byteLength;
  let position = start;
  let level = 0;
  let remaining = 1;
  let isMap = false;
  let items = 0;
  for (;;) {
    while (remaining === 0) {
      if (level === 0) {
        if (position !== end) throw malformed(`${end - position} bytes behind the value`);
        return;
      }
      level -= 1;
      remaining = remainingAt[level] as number;
      isMap = isMapAt[level] === 1;
    }
    if (position >= end) throw malformed('the head is cut short');
    const token = bytes[position] as number;
    position += 1;
    remaining -= 1;
    // A map has an even number of items, key by value: an odd rest means that this one is a key.
    if (isMap && (remaining & 1) === 1) {
      position = skipKey(bytes, position, token);
      continue;
    }
    if (token < 0x80 || token >= 0xe0) continue;
    const count = containerCount(bytes, position, token);
    if (count < 0) {
      position += scalarLength(bytes, position, token);
      continue;
    }
    if (token >= 0xdc) position += token & 1 ? 4 : 2;
    if (level === depth)
      throw new RoutineEngineError(
        'VALUE_TOO_DEEP',
        `The bytes nest deeper than ${LIMITS.valueDepth} levels`,
      );
    remainingAt[level] = remaining;
    isMapAt[level] = isMap ? 1 : 0;
    level += 1;
    isMap = token < 0x90 || token >= 0xde;
    remaining = isMap ? 2 * count : count;
    if (remaining > end - position) throw malformed('a length is beyond the bytes present');
    items += remaining;
    if (items > LIMITS.valueItems) throw malformed(`more than ${LIMITS.valueItems} items`);
  }
}

/** Number of elements or entries of a container; -1 when the token starts none. */
function containerCount(bytes: Uint8Array, position: number, token: number): number {
  if (token < 0xa0) return token & 0x0f;
  if (token < 0xdc) return -1;
  return token & 1 ? uint32(bytes, position) : uint16(bytes, position);
}

/** Bytes that follow the token of a scalar. */
function scalarLength(bytes: Uint8Array, position: number, token: number): number {
  if (token < 0xc0) return token & 0x1f;
  switch (token) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return 0;
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return 1;
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return 2;
    case 0xce: // uint 32
    case 0xd2: // int 32
      return 4;
    case 0xcb: // float 64
      return 8;
    case 0xd9: // str 8
      return 1 + (bytes[position] ?? 0);
    case 0xda: // str 16
      return 2 + uint16(bytes, position);
    case 0xdb: // str 32
      return 4 + uint32(bytes, position);
    default:
      // Binaries, extensions, 64-bit integers and 32-bit floats: the codec writes none of them.
      throw malformed(`type 0x${token.toString(16)} is not in use`);
  }
}

function skipKey(bytes: Uint8Array, position: number, token: number): number {
  if ((token < 0xa0 || token > 0xbf) && (token < 0xd9 || token > 0xdb))
    throw malformed('a key that is no string');
  const after = position + scalarLength(bytes, position, token);
  // Few keys have an underscore there, and only those need the longer look.
  const start = after - PROTO_KEY.length;
  if (start >= position && bytes[start] === PROTO_KEY[0] && start === position + lengthBytes(token)) {
    if (PROTO_KEY.every((byte, index) => bytes[start + index] === byte))
      throw malformed('__proto__ as a plain key');
  }
  return after;
}

/** Bytes of a string's length behind its token. */
function lengthBytes(token: number): number {
  if (token < 0xc0) return 0;
  return token === 0xd9 ? 1 : 2 * (token - 0xd9);
}

function uint16(bytes: Uint8Array, position: number): number {
  return ((bytes[position] ?? 0) << 8) | (bytes[position + 1] ?? 0);
}

function uint32(bytes: Uint8Array, position: number): number {
  return uint16(bytes, position) * 0x10000 + uint16(bytes, position + 2);
}
