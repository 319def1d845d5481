import { OUTLINE_ENTRIES } from '../model/result.js';
import type { Codec } from '../ports/codec.js';

/** Containers are looked into this deep; what is deeper counts as one part. */
const DEPTH = 4;
const DIGEST_DIGITS = 16;
const PATH_LENGTH = 300;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/**
 * Short digests of a value's parts: path and digest in turns. Plain objects and arrays are looked into as long as the list
 * stays short, everything else is one part; so each byte is digested once.
 * @param path - of the value itself, such as `args`.
 */
export function outlineOf(value: unknown, path: string, codec: Codec): readonly string[] {
  const parts: (readonly [string, unknown])[] = [];
  // Breadth first, so that what is cut off is the deepest.
  let level: readonly (readonly [string, unknown])[] = [[path, value]];
  for (let depth = 0; level.length > 0; depth += 1) {
    const next: (readonly [string, unknown])[] = [];
    for (const part of level) {
      const inner = depth < DEPTH ? innerParts(part) : undefined;
      const isShort = inner?.every(([at]) => at.length <= PATH_LENGTH) === true;
      if (isShort && parts.length + level.length + next.length + inner.length <= OUTLINE_ENTRIES)
        next.push(...inner);
      else parts.push(part);
    }
    level = next;
  }
  return parts.flatMap(([at, part]) => [at, codec.digest(part, { path: at }).slice(0, DIGEST_DIGITS)]);
}

/** Paths of what differs between two outlines, in order; the shortest that cover all of it. */
export function differences(one: readonly string[], other: readonly string[]): readonly string[] {
  const [left, right] = [mapOf(one), mapOf(other)];
  const paths = new Set<string>();
  for (const [path, digest] of left) if (right.get(path) !== digest) paths.add(path);
  for (const path of right.keys()) if (!left.has(path)) paths.add(path);
  // One that was looked into on one side only stands for what is inside.
  return [...paths].filter((path) => !isInside(path, paths)).toSorted(byPlace);
}

/** How many parts two outlines have in common. */
export function likeness(one: readonly string[], other: readonly string[]): number {
  const right = mapOf(other);
  let same = 0;
  for (const [path, digest] of mapOf(one)) if (right.get(path) === digest) same += 1;
  return same;
}

function innerParts([path, value]: readonly [string, unknown]): (readonly [string, unknown])[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) {
    if (value.length === 0 || value.length > OUTLINE_ENTRIES) return undefined;
    return Array.from(value, (item, index) => [`${path}[${index}]`, item]);
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  const entries = Object.entries(value);
  if (entries.length === 0 || entries.length > OUTLINE_ENTRIES) return undefined;
  return entries.map(([key, item]) => [
    IDENTIFIER.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`,
    item,
  ]);
}

function mapOf(outline: readonly string[]): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  for (let at = 0; at + 1 < outline.length; at += 2) map.set(outline[at] ?? '', outline[at + 1] ?? '');
  return map;
}

function isInside(path: string, paths: ReadonlySet<string>): boolean {
  for (const other of paths) {
    if (path.length > other.length && path.startsWith(other) && /[.[]/.test(path[other.length] ?? ''))
      return true;
  }
  return false;
}

const byPlace = (one: string, other: string): number => (one < other ? -1 : Number(one > other));
