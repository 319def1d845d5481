import { type BinaryKind, bytesOf, NODE_BUFFER } from './binary-kinds.js';
import { TAG } from './node-tags.js';

/** Binary values up to this length are copied into one buffer for all of them: a buffer each would cost more. */
const SMALL_BYTES = 1024;
/** Shared ranges begin at a multiple of it, so that elements of any size stay aligned. */
const ALIGNMENT = 8;

interface Part {
  readonly bytes: Uint8Array;
  readonly kind: BinaryKind;
  /** The node in the tree, filled in by {@link BinaryParts.finish}. */
  readonly node: unknown[];
}

/** A range of one ArrayBuffer that travels once for several values. */
interface SharedRange {
  readonly start: number;
  readonly end: number;
  index: number;
}

/**
 * The binary values of one encoded value, in the order of the walk. Which of them share memory is only known at the
 * end, so their nodes stay empty until then.
 */
export class BinaryParts {
  readonly #parts: Part[] = [];

  /** A node that stands for the value. */
  add(value: ArrayBuffer | ArrayBufferView, kind: BinaryKind): unknown[] {
    const node: unknown[] = [];
    this.#parts.push({ bytes: bytesOf(value), kind, node });
    return node;
  }

  /** Fills the nodes. @returns the buffers, views of the values' own memory except for the small ones. */
  finish(): Uint8Array[] {
    const buffers: Uint8Array[] = [];
    const small: Uint8Array[] = [];
    const shared = sharedRanges(this.#parts);
    for (const part of this.#parts) {
      const { bytes, kind, node } = part;
      const range = shared.get(part);
      if (range) {
        if (range.index < 0) {
          range.index = buffers.push(new Uint8Array(bytes.buffer, range.start, range.end - range.start)) - 1;
        }
        node.push(TAG.sharedBytes, kind.code, range.index, bytes.byteOffset - range.start, bytes.byteLength);
      } else if (bytes.byteLength <= SMALL_BYTES) {
        small.push(bytes);
        node.push(TAG.smallBytes, kind.code, bytes.byteLength);
      } else {
        buffers.push(bytes);
        node.push(TAG.bytes, kind.code);
      }
    }
    if (small.length > 0) buffers.push(joined(small));
    return buffers;
  }
}

function sharedRanges(parts: readonly Part[]): Map<Part, SharedRange> {
  const ranges = new Map<Part, SharedRange>();
  if (parts.length < 2) return ranges;
  for (const group of byMemory(parts)) {
    if (group.length < 2) continue;
    for (const sharing of group.every(isNodeBuffer) ? overlapping(group) : [group]) {
      if (sharing.length < 2) continue;
      const range = rangeOf(sharing);
      for (const part of sharing) ranges.set(part, range);
    }
  }
  return ranges;
}

function byMemory(parts: readonly Part[]): Iterable<Part[]> {
  const groups = new Map<ArrayBufferLike, Part[]>();
  for (const part of parts) {
    const group = groups.get(part.bytes.buffer);
    if (group) group.push(part);
    else groups.set(part.bytes.buffer, [part]);
  }
  return groups.values();
}

function isNodeBuffer(part: Part): boolean {
  return part.kind === NODE_BUFFER;
}

/**
 * Buffers in groups that overlap. Small Buffers of Node lie in one pool without being related: what lies between them
 * belongs to others, and must not travel.
 */
function overlapping(buffers: readonly Part[]): Part[][] {
  const sorted = buffers.toSorted((a, b) => a.bytes.byteOffset - b.bytes.byteOffset);
  const groups: Part[][] = [];
  let end = -1;
  for (const part of sorted) {
    const { byteOffset, byteLength } = part.bytes;
    if (byteOffset < end) groups.at(-1)?.push(part);
    else groups.push([part]);
    end = Math.max(end, byteOffset + byteLength);
  }
  return groups;
}

function rangeOf(sharing: readonly Part[]): SharedRange {
  const first = Math.min(...sharing.map(({ bytes }) => bytes.byteOffset));
  const end = Math.max(...sharing.map(({ bytes }) => bytes.byteOffset + bytes.byteLength));
  // Buffers have elements of one byte: nothing before the first of them needs to travel.
  return { start: sharing.every(isNodeBuffer) ? first : first - (first % ALIGNMENT), end, index: -1 };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}
