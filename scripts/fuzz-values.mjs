// What scripts/fuzz-codec.mjs encodes at first, and the classes of it.

/** What stands for a stored result. */
export class Stored {
  constructor(data) {
    this[Symbol.for('@routine-engine/reference.v1')] = data;
  }
}

function stored(length) {
  const key = length.toString(16).padStart(64, '0');
  const node = new Uint8Array(length).fill(length);
  return new Stored({ key, store: 'mem:one', routineId: 'tname:a:b:1.0.0', byteLength: length, node });
}

/**
 * Keeps the very array it came with: bytes may name it elsewhere too, and what stands in it, such as a stream, would
 * stand in two arrays if each pair made one of its own.
 */
export class Pair {
  constructor(items) {
    this.items = items;
  }
}

async function* iterable() {}

/** Values of every kind that the codec carries. */
export function valuesToDamage() {
  const pair = (left, right) => new Pair([left, right]);
  const memory = new ArrayBuffer(64);
  const shared = { n: 1 };
  const loop = { list: [] };
  loop.list.push(loop, new Map([[loop, new Set([loop])]]));
  const sparse = [1, , 3]; // oxlint-disable-line no-sparse-arrays
  sparse.length = 5_000;
  const failure = Object.assign(new TypeError('wrong', { cause: new RangeError('why') }), {
    code: 'E_1',
    at: [1],
  });
  let deep = [];
  for (let level = 0; level < 190; level += 1) deep = level % 2 === 0 ? [deep] : { deep };
  return [
    ...[null, true, 7, -7, 1e9, 0.1, 'text', 'ü'.repeat(40), [], {}],
    [{ epochs: 3, rate: 0.5, name: 'x' }, [1, 2, 3]],
    Array.from({ length: 30 }, (_, id) => ({ id, name: `n${id}`, tags: ['a', 'b'] })),
    Object.fromEntries(Array.from({ length: 40 }, (_, id) => [`key ${id}`, id])),
    [undefined, -0, NaN, Infinity, 12n, -(2n ** 80n), '\ud800', '\ufeffa', '\0u'],
    ['\0u', 1],
    JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":{"b":2}},"toJSON":1}'),
    Object.assign(Object.create(null), { a: [undefined] }),
    [sparse, new Date(5), new Date(NaN), /a(b)+/giu, new URL('http://a.example/b?c#d')],
    new Map([
      [1, new Set(['a', undefined])],
      [{ k: 1 }, new Map()],
    ]),
    [Object(1), Object('\ud800'), Object(true), Object(5n)],
    [failure, new AggregateError([new Error('one'), 2], 'many')],
    [new Uint8Array(4), Float64Array.of(1, 2), new Float64Array(200), Buffer.from('buffer'), memory.slice(8)],
    [new Uint8Array(memory, 8, 8), new Float32Array(memory, 16, 4), new DataView(memory, 3, 5), memory],
    [new BigInt64Array(2), new Int16Array(700), new Uint8ClampedArray(3), new ArrayBuffer(2_000)],
    [shared, shared, [shared], loop],
    [pair(1, pair([undefined], 2n)), pair(new Float32Array(300), loop)],
    stored(1),
    [stored(1), { a: stored(2), b: undefined }, new Map([[stored(1), loop]]), stored(40)],
    iterable(),
    new ReadableStream(),
    { log: iterable(), web: [new ReadableStream()], small: new Uint8Array(3), large: new Float64Array(200) },
    [iterable(), stored(3), pair(stored(3), new ReadableStream()), shared, shared],
    deep,
    [deep, undefined],
    'x'.repeat(5_000),
  ];
}
