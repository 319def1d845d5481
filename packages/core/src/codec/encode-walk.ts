import { errorClassName, isError } from '../errors/error-class.js';
import { referenceData, type ReferenceData } from '../model/reference.js';
import type { ValueStream } from '../ports/codec.js';
import type { BinaryKind } from './binary-kinds.js';
import { BinaryParts } from './binary-parts.js';
import { objectKindOf, type ObjectKind } from './kinds.js';
import { TAG } from './node-tags.js';
import { MOST_REFERENCES, ReferenceNodes } from './reference-nodes.js';
import { streamKindOf } from './stream-kinds.js';
import { textNode } from './text-node.js';
import type { ValueReader } from './value-reader.js';
import { ValueStreams } from './value-streams.js';
import { isCarriedExactly } from './well-formed.js';

/** What a walk makes of a value. */
export interface EncodedTree {
  readonly tree: unknown;
  /** Those of the streams are the last, and empty. */
  readonly buffers: readonly Uint8Array[];
  readonly streams: readonly ValueStream[] | undefined;
}

/**
 * Builds the tree of `node-tags.ts` for a value that is not simple. Parts that stand for themselves are taken over as
 * they are, and only copied when something in them is not; the value itself is never changed.
 */
export class EncodeWalk {
  readonly #reader: ValueReader;
  readonly #parts = new BinaryParts();
  /** Number of each container, in the order of meeting. */
  readonly #numbers = new Map<object, number>();
  /** Instances whose serialized form is being walked. */
  readonly #underWay = new Set<object>();
  readonly #takesStreams: boolean;
  #streams: ValueStreams | undefined;
  #references: ReferenceNodes | undefined;

  /** @param takesStreams - whether the value may hold streams. */
  constructor(reader: ValueReader, takesStreams: boolean) {
    this.#reader = reader;
    this.#takesStreams = takesStreams;
  }

  /** The tree and the buffers of a value. One walk encodes one value. */
  encode(value: unknown): EncodedTree {
    let tree = this.#node(value, 0);
    const buffers = this.#parts.finish();
    const streams = this.#streams?.finish(buffers.length);
    if (streams) {
      tree = [TAG.streams, streams.length, tree];
      for (const _ of streams) buffers.push(new Uint8Array(0));
    }
    if (this.#references) tree = [TAG.references, this.#references.entries, tree];
    return { tree, buffers, streams };
  }

  #node(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return textNode(value);
      case 'number':
        return value === 0 && Object.is(value, -0) ? [TAG.minusZero] : value;
      case 'boolean':
        return value;
      case 'undefined':
        return [TAG.undefined];
      case 'bigint':
        return [TAG.bigint, value.toString(16)];
      case 'object':
        return value === null ? null : this.#container(value, depth);
      default:
        throw this.#reader.refusalOfPrimitive(value, depth);
    }
  }

  #container(value: object, depth: number): unknown {
    const number = this.#numbers.get(value);
    if (number !== undefined) return this.#again(value, number, depth);
    const kind = objectKindOf(value);
    const reference = kind === 'instance' ? referenceData(value) : undefined;
    if (reference) return this.#reference(reference, depth);
    this.#reader.checkDepth(depth);
    this.#numbers.set(value, this.#numbers.size);
    return typeof kind === 'object' ? this.#binary(value, kind, depth) : this.#known(value, kind, depth);
  }

  /** A node for a container that was met before. */
  #again(value: object, number: number, depth: number): unknown {
    if (this.#underWay.has(value)) throw this.#reader.refusalOfCycle(value, depth);
    if (this.#streams?.has(value)) {
      throw this.#reader.refusal(
        depth,
        'a stream that stands in the value twice',
        'it can be read only once',
      );
    }
    return [TAG.reference, number];
  }

  #reference(data: ReferenceData, depth: number): unknown {
    const node = (this.#references ??= new ReferenceNodes()).add(data);
    if (node) return node;
    throw this.#reader.refusal(depth, `one reference more than ${MOST_REFERENCES}`, 'pass fewer at once');
  }

  #known(value: object, kind: Exclude<ObjectKind, BinaryKind>, depth: number): unknown {
    switch (kind) {
      case 'array':
        return this.#array(value as unknown[], depth);
      case 'object':
        return this.#object(value as Record<string, unknown>, depth);
      case 'null-object':
        return this.#entries([TAG.nullObject], value, this.#reader.keysOf(value, depth), depth);
      case 'map':
        return this.#map(value as Map<unknown, unknown>, depth);
      case 'set':
        return this.#set(value as Set<unknown>, depth);
      case 'error':
      case 'instance':
        return this.#instance(value, depth);
      default:
        return this.#content(value, kind, depth);
    }
  }

  #array(array: unknown[], depth: number): unknown {
    if (this.#reader.hasHoles(array, depth)) return this.#sparse(array, depth);
    let changed: unknown[] | undefined;
    for (let index = 0; index < array.length; index += 1) {
      const item = array[index];
      this.#reader.path.step(depth, 'property', index);
      const node = this.#node(item, depth + 1);
      if (changed) changed.push(node);
      else if (node !== item) changed = [...array.slice(0, index), node];
    }
    const items = changed ?? array;
    return isTagLike(items[0]) ? [TAG.array, ...items] : items;
  }

  #sparse(array: unknown[], depth: number): unknown {
    const node: unknown[] = [TAG.sparse, array.length];
    for (const key of Object.keys(array)) {
      const index = Number(key);
      this.#reader.path.step(depth, 'property', index);
      node.push(index, this.#node(array[index], depth + 1));
    }
    return node;
  }

  #object(object: Record<string, unknown>, depth: number): unknown {
    const keys = this.#reader.keysOf(object, depth);
    if (!keys.every(isPlainKey)) return this.#entries([TAG.object], object, keys, depth);
    let changed: Record<string, unknown> | undefined;
    for (const key of keys) {
      const item = object[key];
      this.#reader.path.step(depth, 'property', key);
      const node = this.#node(item, depth + 1);
      if (node === item) continue;
      changed ??= { ...object };
      changed[key] = node;
    }
    return changed ?? object;
  }

  /** Adds keys and values to a node. */
  #entries(node: unknown[], object: object, keys: readonly string[], depth: number): unknown[] {
    for (const key of keys) {
      this.#reader.path.step(depth, 'property', key);
      node.push(textNode(key), this.#node((object as Record<string, unknown>)[key], depth + 1));
    }
    return node;
  }

  #map(map: Map<unknown, unknown>, depth: number): unknown {
    this.#reader.checkBare(map, 'Map', depth);
    const node: unknown[] = [TAG.map];
    let position = 0;
    for (const [key, value] of map) {
      this.#reader.path.step(depth, 'map-key', position);
      node.push(this.#node(key, depth + 1));
      this.#reader.path.step(depth, 'map-value', key);
      node.push(this.#node(value, depth + 1));
      position += 1;
    }
    return node;
  }

  #set(set: Set<unknown>, depth: number): unknown {
    this.#reader.checkBare(set, 'Set', depth);
    const node: unknown[] = [TAG.set];
    for (const item of set) {
      this.#reader.path.step(depth, 'set-item', node.length - 1);
      node.push(this.#node(item, depth + 1));
    }
    return node;
  }

  #content(value: object, kind: 'date' | 'regexp' | 'boxed' | 'url', depth: number): unknown {
    switch (kind) {
      case 'date':
        this.#reader.checkBare(value, 'Date', depth);
        return [TAG.date, (value as Date).getTime()];
      case 'regexp': {
        this.#reader.checkBare(value, 'RegExp', depth);
        const { source, flags } = value as RegExp;
        return [TAG.regexp, textNode(source), flags, this.#reader.lastIndexOf(value as RegExp, depth)];
      }
      case 'boxed':
        this.#reader.checkBare(value, 'boxed primitive', depth);
        return [TAG.boxed, this.#node(value.valueOf(), depth + 1)];
      default:
        this.#reader.checkBare(value, 'URL', depth);
        return [TAG.url, (value as URL).href];
    }
  }

  #binary(value: object, kind: BinaryKind, depth: number): unknown {
    this.#reader.checkBinary(value as ArrayBuffer | ArrayBufferView, depth);
    return this.#parts.add(value as ArrayBuffer | ArrayBufferView, kind);
  }

  #instance(value: object, depth: number): unknown {
    const serialized = this.#reader.serialized(value, depth);
    if (!serialized) return isError(value) ? this.#error(value, depth) : this.#stream(value, depth);
    this.#reader.path.step(depth, 'serialized', serialized.key);
    this.#underWay.add(value);
    const node = [TAG.instance, textNode(serialized.key), this.#node(serialized.plain, depth + 1)];
    this.#underWay.delete(value);
    return node;
  }

  #stream(value: object, depth: number): unknown {
    const kind = streamKindOf(value);
    if (!kind) throw this.#reader.refusalOfInstance(value, depth);
    if (!this.#takesStreams) throw this.#reader.refusalOfStream(depth);
    this.#reader.checkStream(value, depth);
    return (this.#streams ??= new ValueStreams()).add(value, kind, this.#reader.path.text(depth));
  }

  #error(error: Error, depth: number): unknown {
    const { message, stack } = error;
    const node = [
      TAG.error,
      textNode(errorClassName(error)),
      textNode(String(message)),
      typeof stack === 'string' ? textNode(stack) : null,
    ];
    return this.#entries(node, error, this.#reader.errorKeysOf(error, depth), depth);
  }
}

function isPlainKey(key: string): boolean {
  return key !== '__proto__' && key !== 'constructor' && isCarriedExactly(key);
}

/** Whether a first item would be taken for a tag. */
function isTagLike(item: unknown): boolean {
  return typeof item === 'string' && item.charCodeAt(0) === 0;
}
