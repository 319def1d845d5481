import { createHash } from 'node:crypto';
import type { Serializer } from '../ports/serializer.js';
import { type StreamContents, valueReference } from './codec-samples.js';

/*
 * The notation of docs/digest-vectors.json, which docs/digest.md describes: JSON as values of this language.
 */

type Pair = readonly [unknown, unknown];
type Note = (container: object) => void;
type Maker = (content: never, build: Builder, note: Note) => unknown;

/** An instance of a class, as the pair of what a serializer says of it. */
class Instance {
  plain: unknown;
  constructor(readonly key: string) {}
}

/** Serializers for the instances that the notation makes, one for each key. */
export const notationSerializers: readonly Serializer[] = ['example/Point', 'example/Model'].map((key) => ({
  key,
  claims: (value): value is Instance => value instanceof Instance && value.key === key,
  serialize: (value) => (value as Instance).plain,
  deserialize: (plain) => Object.assign(new Instance(key), { plain }),
}));

/** The value that a notation describes. */
export function valueOfNotation(notation: unknown): unknown {
  return new Builder().value(notation);
}

/** The value that a notation describes, and what the streams in it give. */
export function withStreamsOfNotation(notation: unknown): {
  readonly value: unknown;
  readonly streams: StreamContents;
} {
  const builder = new Builder();
  return { value: builder.value(notation), streams: builder.streams };
}

class Builder {
  readonly streams = new Map<object, { byteLength: number; digest: string }>();
  readonly #named = new Map<string, object>();

  value(notation: unknown, note: Note = () => {}): unknown {
    if (typeof notation !== 'object' || notation === null) return notation;
    if (Array.isArray(notation)) return this.#items(notation, note);
    const [operator, content] = Object.entries(notation)[0] ?? [];
    const maker = MAKERS[operator ?? ''];
    if (!maker) throw new TypeError(`No such notation: ${JSON.stringify(notation).slice(0, 80)}`);
    return maker(content as never, this, note);
  }

  named(name: string): object {
    const container = this.#named.get(name);
    if (!container) throw new TypeError(`Nothing is called ${name} yet`);
    return container;
  }

  define(name: string, notation: unknown): unknown {
    const value = this.value(notation, (container) => this.#named.set(name, container));
    this.#named.set(name, value as object);
    return value;
  }

  stream(kind: string, hex: string): object {
    const bytes = Uint8Array.from(Buffer.from(hex, 'hex'));
    const stream = kind === 'w' ? new Blob([bytes]).stream() : chunksOf(bytes);
    this.streams.set(stream, {
      byteLength: bytes.byteLength,
      digest: createHash('sha256').update(bytes).digest('hex'),
    });
    return stream;
  }

  /** Adds keys and values to a container that is known already, since a value in it may be the container itself. */
  fill<T extends object>(container: T, pairs: readonly Pair[], note: Note, set: (...pair: Pair) => void): T {
    note(container);
    for (const [key, value] of pairs) set(this.value(key), this.value(value));
    return container;
  }

  #items(notations: readonly unknown[], note: Note): unknown[] {
    const array: unknown[] = [];
    note(array);
    for (const notation of notations) array.push(this.value(notation));
    return array;
  }
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function define(container: object, enumerable = true) {
  return (key: unknown, value: unknown): void => {
    Object.defineProperty(container, key as string, {
      value,
      enumerable,
      writable: true,
      configurable: true,
    });
  };
}

function error(
  className: string,
  message: string,
  pairs: readonly Pair[],
  build: Builder,
  note: Note,
): Error {
  const Class = (globalThis as unknown as Record<string, unknown>)[className];
  const made =
    className === 'AggregateError'
      ? new AggregateError([], message)
      : new ((Class ?? Error) as ErrorConstructor)(message);
  if (!Class) define(made, false)('name', className);
  return build.fill(made, pairs, note, (key, value) => {
    define(made, key !== 'cause' && key !== 'errors')(key, value);
  });
}

function sparse(content: readonly [number, ...Pair[]], build: Builder, note: Note): unknown[] {
  const [length, ...pairs] = content;
  const array: unknown[] = [];
  array.length = length;
  return build.fill(array, pairs, note, define(array));
}

function nested(count: number, innermost: unknown): unknown {
  let value = innermost;
  for (let level = 0; level < count; level += 1) value = [value];
  return value;
}

function instance(key: string, plain: unknown, build: Builder, note: Note): Instance {
  const made = new Instance(key);
  note(made);
  made.plain = build.value(plain);
  return made;
}

const TYPED_ARRAYS = {
  ...{ Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array },
  ...{ Float32Array, Float64Array, BigInt64Array, BigUint64Array },
};
type TypedArrayClass = new (elements: readonly unknown[]) => ArrayBufferView;

function typedArray(name: string, Class: TypedArrayClass): Maker {
  const element = (given: number | string) => (name.startsWith('Big') ? BigInt(given) : Number(given));
  return (content: (number | string)[] | { count: number; element: number | string }) => {
    if (Array.isArray(content)) return new Class(content.map(element));
    return new Class(Array.from({ length: content.count }, () => element(content.element)));
  };
}

/** The same binary value, that many bytes behind the beginning of a larger piece of memory. */
function moved(offset: number, view: ArrayBufferView): ArrayBufferView {
  const memory = new Uint8Array(offset + view.byteLength + 8).fill(0xff);
  memory.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength), offset);
  if (Buffer.isBuffer(view)) return Buffer.from(memory.buffer, offset, view.byteLength);
  const { BYTES_PER_ELEMENT = 1 } = view as Partial<Uint8Array>;
  const Class = view.constructor as new (
    memory: ArrayBuffer,
    from: number,
    length: number,
  ) => ArrayBufferView;
  return new Class(memory.buffer, offset, view.byteLength / BYTES_PER_ELEMENT);
}

const fromHex = (hex: string): ArrayBuffer => Uint8Array.from(Buffer.from(hex, 'hex')).buffer;

const MAKERS: Readonly<Record<string, Maker>> = {
  undefined: () => undefined,
  number: (content: string) => Number(content),
  bigint: (content: string) => BigInt(content),
  units: (content: number[]) => String.fromCharCode(...content),
  text: ([piece, count]: [string, number]) => piece.repeat(count),
  join: (content: unknown[], build) => content.map((piece) => build.value(piece)).join(''),
  sparse,
  items: ([item, count]: [unknown, number], build) => Array.from({ length: count }, () => build.value(item)),
  range: (content: number) => Array.from({ length: content }, (_, index) => index),
  nested: ([count, innermost]: [number, unknown], build) => nested(count, build.value(innermost)),
  object: (content: Pair[], build, note) => {
    const object = {};
    return build.fill(object, content, note, define(object));
  },
  bare: (content: Pair[], build, note) => {
    const object = Object.create(null) as object;
    return build.fill(object, content, note, define(object));
  },
  map: (content: Pair[], build, note) => {
    const map = new Map<unknown, unknown>();
    return build.fill(map, content, note, (key, value) => map.set(key, value));
  },
  set: (content: unknown[], build, note) => {
    const set = new Set<unknown>();
    const pairs = content.map((item): Pair => [null, item]);
    return build.fill(set, pairs, note, (_, item) => set.add(item));
  },
  date: (content: unknown, build) => new Date(build.value(content) as number),
  regexp: ([source, flags, lastIndex]: [string, string, number]) =>
    Object.assign(new RegExp(source, flags), { lastIndex }),
  boxed: (content: unknown, build) => Object(build.value(content)) as unknown,
  url: (content: string) => new URL(content),
  error: ([className, message, ...pairs]: [string, string, ...Pair[]], build, note) =>
    error(className, message, pairs, build, note),
  instance: ([key, plain]: [string, unknown], build, note) => instance(key, plain, build, note),
  reference: (content: string) => valueReference(Buffer.from(content, 'hex')),
  stream: ([kind, content]: [string, string], build) => build.stream(kind, content),
  def: ([name, notation]: [string, unknown], build) => build.define(name, notation),
  ref: (content: string, build) => build.named(content),
  at: ([offset, notation]: [number, unknown], build) =>
    moved(offset, build.value(notation) as ArrayBufferView),
  ArrayBuffer: fromHex,
  DataView: (content: string) => new DataView(fromHex(content)),
  Buffer: (content: string) => Buffer.from(content, 'hex'),
  ...Object.fromEntries(
    Object.entries(TYPED_ARRAYS).map(([name, Class]) => [name, typedArray(name, Class as TypedArrayClass)]),
  ),
};
