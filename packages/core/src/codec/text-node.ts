import { TAG } from './node-tags.js';
import { malformed } from './refusals.js';
import { isCarriedExactly } from './well-formed.js';

/** What msgpackr would not give back as it was: surrogates without a partner, and byte order marks. */
const NOT_CARRIED = /([\p{Surrogate}\uFEFF])/u;

/** A text in the tree of `node-tags.ts`. */
export function textNode(text: string): unknown {
  if (isCarriedExactly(text)) return text;
  const pieces = text.split(NOT_CARRIED).filter((piece) => piece !== '');
  return [TAG.text, ...pieces.map((piece) => (NOT_CARRIED.test(piece) ? piece.charCodeAt(0) : piece))];
}

/**
 * The text of a string or a `text` node.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED`.
 */
export function textOf(node: unknown): string {
  return Array.isArray(node) && node[0] === TAG.text ? textOfPieces(node) : stringOf(node);
}

/** The text of a `text` node. */
export function textOfPieces(node: readonly unknown[]): string {
  return node
    .slice(1)
    .map((piece) => (typeof piece === 'number' ? String.fromCharCode(piece) : stringOf(piece)))
    .join('');
}

/** A node that is a string, and no `text` node. */
export function stringOf(node: unknown): string {
  if (typeof node !== 'string') throw malformed('something else where a text belongs');
  return node;
}
