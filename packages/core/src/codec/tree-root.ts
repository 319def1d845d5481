import type { Encoded } from '../model/encoded.js';
import { LIMITS } from '../model/limits.js';
import { kindOfCode } from './binary-reader.js';
import { isCount } from './is-count.js';
import { unpack } from './msgpack.js';
import { TAG, TREE_BYTE } from './node-tags.js';
import { malformed } from './refusals.js';
import { ROOT_LEVELS, scan } from './scan.js';

/** A head of the second form, taken apart. Its parts may come from a stranger. */
export interface TreeRoot {
  /** Entries of the `references` node; absent when there is none. */
  readonly references?: unknown;
  /** How many of the last buffers are streams. */
  readonly streams: number;
  /** The tree of the value itself. */
  readonly tree: unknown;
}

/** Containers nest in a tree as they do in its value; in the deepest of them a primitive may be a node. */
const TREE_DEPTH = LIMITS.valueDepth + 1 + ROOT_LEVELS;
/** How the head of a value with references begins: an array of three items, the first of which is their tag. */
const REFERENCES_START = [TREE_BYTE, 0x93, 0xa2, 0, TAG.references.charCodeAt(1)] as const;
/** No head is longer whose value is one binary value or one stream. */
const CONTENT_HEAD_BYTES = 64;

/**
 * Whether a head has references: told by its first bytes, so that the others need not be read for it. A node with
 * their tag in any other form is none.
 */
export function hasReferences(head: Uint8Array): boolean {
  return REFERENCES_START.every((byte, index) => head[index] === byte);
}

/**
 * Scans and unpacks a head that begins with `TREE_BYTE`.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED` or `VALUE_TOO_DEEP`.
 */
export function readRoot(head: Uint8Array): TreeRoot {
  scan(head, 1, TREE_DEPTH);
  const root = unpack(head, 1);
  if (!hasReferences(head)) return withStreams(root);
  const [, references, rest] = root as unknown[];
  return { ...withStreams(rest), references };
}

function withStreams(root: unknown): TreeRoot {
  if (!Array.isArray(root) || root[0] !== TAG.streams) return { streams: 0, tree: root };
  const [, streams, tree] = root as unknown[];
  if (root.length !== 3 || !isCount(streams) || streams === 0)
    throw malformed('streams without their number');
  return { streams, tree };
}

/**
 * Number of the part that is all of a value which is bytes, of a head that begins with `TREE_BYTE`; see
 * {@link Codec.contentPart}.
 */
export function contentPartOf({ head, buffers, blobs }: Encoded): number | undefined {
  if (head.byteLength > CONTENT_HEAD_BYTES) return undefined;
  const { tree, references } = readRoot(head);
  if (!Array.isArray(tree) || references !== undefined) return undefined;
  const [tag, code, length] = tree as unknown[];
  if (tag !== TAG.bytes && tag !== TAG.smallBytes && tag !== TAG.stream) return undefined;
  if (buffers.length !== 1) throw malformed(`${buffers.length} buffers of one binary value`);
  if (tag === TAG.stream) return 1;
  const { byteLength } = blobs?.get(1) ?? (buffers[0] as Uint8Array);
  const isWhole = tag === TAG.bytes || length === byteLength;
  if (!isWhole || byteLength % kindOfCode(code).elementBytes !== 0)
    throw malformed(`a value of ${byteLength} bytes`);
  return 1;
}
