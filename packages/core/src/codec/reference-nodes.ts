import { readReferenceData, type ReferenceData } from '../model/reference.js';
import { TAG } from './node-tags.js';
import { malformed } from './refusals.js';
import { textNode, textOf } from './text-node.js';

/** Most different references in one value. */
export const MOST_REFERENCES = 100_000;

/** The references of one value that is encoded, each key of a store once. */
export class ReferenceNodes {
  readonly entries: unknown[][] = [];
  readonly #indices = new Map<string, number>();

  /** A node that stands for the reference; `undefined` when there are too many. */
  add(data: ReferenceData): unknown[] | undefined {
    const name = `${data.key} ${data.store}`;
    let index = this.#indices.get(name);
    if (index === undefined) {
      index = this.entries.length;
      if (index === MOST_REFERENCES) return undefined;
      this.#indices.set(name, index);
      this.entries.push(entryOf(data));
    }
    return [TAG.ref, index];
  }
}

function entryOf({ key, store, routineId, byteLength, node }: ReferenceData): unknown[] {
  const bytes = Buffer.from(node.buffer, node.byteOffset, node.byteLength);
  return [key, textNode(store), textNode(routineId), byteLength, bytes.toString('base64')];
}

/**
 * The references that the entries describe.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED`.
 */
export function referencesOf(entries: unknown): readonly ReferenceData[] {
  if (!Array.isArray(entries)) throw malformed('references that are no list');
  if (entries.length > MOST_REFERENCES) throw malformed(`more than ${MOST_REFERENCES} references`);
  return entries.map(referenceOf);
}

function referenceOf(entry: unknown): ReferenceData {
  if (!Array.isArray(entry) || entry.length !== 5) throw malformed('a reference without its parts');
  const [key, store, routineId, byteLength, node] = entry as unknown[];
  const text = textOf(node);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw malformed('a reference that is not in base64');
  const plain = { key, store: textOf(store), routineId: textOf(routineId), byteLength };
  try {
    // Memory of its own: a small Buffer holds on to the memory that it shares with others.
    return readReferenceData({ ...plain, node: Uint8Array.from(bytes) });
  } catch (error) {
    throw malformed('a reference that cannot be', error);
  }
}

/** What stands in the places of the references of one value that is decoded. */
export class ReferencePlaces {
  readonly #references: readonly ReferenceData[];
  readonly #place: (data: ReferenceData) => unknown;
  /** By index. */
  readonly #values = new Map<number, unknown>();

  constructor(references: readonly ReferenceData[], place: (data: ReferenceData) => unknown) {
    this.#references = references;
    this.#place = place;
  }

  /** What takes the place of a reference: one value in all its places. */
  value(index: unknown): unknown {
    const data = typeof index === 'number' ? this.#references[index] : undefined;
    if (!data) throw malformed(`there is no such reference, ${String(index)}`);
    const at = index as number;
    if (!this.#values.has(at)) this.#values.set(at, this.#place(data));
    return this.#values.get(at);
  }

  /** Refuses references that stand nowhere. */
  finish(): void {
    if (this.#values.size !== this.#references.length) throw malformed('a reference that stands nowhere');
  }
}
