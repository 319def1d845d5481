import { unpack, pack } from '../codec/msgpack.js';
import { notEncodable } from '../codec/refusals.js';
import { scan } from '../codec/scan.js';
import type { DirectiveHeader } from '../ports/transport.js';
import { violation } from './frames.js';

/** How many levels a header may nest: enough for an error with the longest chain of causes that is carried. */
const HEADER_DEPTH = 64;
const ADVICE = 'a header holds plain data only';

/**
 * The msgpack map of a directive. Fields that are `undefined` are left out, at every depth.
 * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` for what is not plain data, with its path.
 */
export function packHeader(header: DirectiveHeader): Uint8Array {
  return pack(plain(header, 'header', 1));
}

/**
 * Reads a directive that a stranger packed: plain data only, bounded in depth and size before anything is built.
 * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`.
 */
export function unpackHeader(bytes: Uint8Array): DirectiveHeader {
  let header: unknown;
  try {
    scan(bytes, 0, HEADER_DEPTH);
    header = unpack(bytes, 0);
  } catch (cause) {
    throw violation(
      `a header of ${bytes.byteLength} bytes is not packed as headers are: ${(cause as Error).message}`,
      cause,
    );
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw violation('a header is no map');
  return header as DirectiveHeader;
}

/** The same data without undefined fields: itself when there are none, so that most headers are not copied. */
function plain(value: unknown, path: string, depth: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return value;
      if (depth > HEADER_DEPTH)
        throw notEncodable(path, 'too deep', `a header nests at most ${HEADER_DEPTH} levels`);
      if (Array.isArray(value)) return plainList(value, path, depth);
      return plainRecord(value as Record<string, unknown>, path, depth);
    default:
      throw notEncodable(path, value === undefined ? 'undefined' : `a ${typeof value}`, ADVICE);
  }
}

function plainList(list: readonly unknown[], path: string, depth: number): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < list.length; index += 1) {
    const item = list[index];
    if (typeof item === 'number') continue;
    const carried = plain(item, `${path}[${index}]`, depth + 1);
    if (carried === item) continue;
    copy ??= [...list];
    copy[index] = carried;
  }
  return copy ?? list;
}

function plainRecord(record: Record<string, unknown>, path: string, depth: number): Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(record);
  if (prototype !== Object.prototype && prototype !== null)
    throw notEncodable(path, 'no plain object', ADVICE);
  let isSame = true;
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(record)) {
    if (key === '__proto__') throw notEncodable(path, 'an object with the key __proto__', 'rename the key');
    const field = record[key];
    const kind = typeof field;
    const carried =
      kind === 'string' || kind === 'number' || kind === 'undefined'
        ? field
        : plain(field, `${path}.${key}`, depth + 1);
    if (carried === undefined) isSame = false;
    else copy[key] = carried;
    if (carried !== field) isSame = false;
  }
  return isSame ? record : copy;
}
