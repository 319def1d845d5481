import fc from 'fast-check';
import { valueOfNotation } from '../../src/compliance/digest-notation.js';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom('', 'name', 'message', 'stack', '__proto__', 'constructor', '\uffff', '\u{10000}'),
  fc
    .tuple(fc.integer({ min: 4080, max: 4100 }), fc.constantFrom('x', 'ü'))
    .map(([n, piece]) => piece.repeat(n)),
);
const leaf = fc.oneof(
  fc.constantFrom(undefined, null, true, false, 0, -0, NaN, Infinity, -Infinity),
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  text,
  fc.date(),
  fc.uint8Array(),
  fc.uint8Array({ minLength: 4075, maxLength: 4100 }),
  fc.float32Array(),
  fc.bigInt64Array(),
  fc.boolean().map((flag) => Object(flag) as unknown),
  text.map((source) => Object(source) as unknown),
  fc.webUrl().map((href) => new URL(href)),
  fc.constantFrom(
    /a/g,
    /\//u,
    new RegExp(''),
    new ArrayBuffer(3),
    new DataView(new ArrayBuffer(2)),
    Buffer.of(7),
  ),
  fc.integer({ min: 440, max: 460 }).map((length) => Array.from({ length }, (_, index) => index)),
);
/** Values of every kind, without cycles. */
export const tree = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('any'), { maxLength: 6 }),
    fc.sparseArray(tie('any'), { maxNumElements: 4, maxLength: 50 }),
    fc.dictionary(text, tie('any'), { maxKeys: 6, noNullPrototype: false }),
    fc.array(fc.tuple(tie('any'), tie('any')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('any'), { maxLength: 4 }).map((items) => new Set(items)),
    fc.tuple(text, tie('any'), tie('any')).map(([message, cause, code]) => failure(message, cause, code)),
    tie('any').map((plain) => valueOfInstance(plain)),
  ),
})).any;

/** Containers with references to one another in every direction. */
export const graph = fc
  .array(fc.tuple(fc.nat(4), fc.array(fc.nat(11), { maxLength: 4 }), leaf), { minLength: 1, maxLength: 6 })
  .map((nodes) => {
    const containers = nodes.map(([kind]) => emptyContainer(kind));
    for (const [at, [, targets, item]] of nodes.entries()) {
      // An index beyond the containers stands for the item: a leaf, and one object however often it is met.
      for (const target of targets) addTo(containers[at], containers[target] ?? item);
    }
    return containers[0];
  });

function failure(message: string, cause: unknown, code: unknown): Error {
  return Object.assign(new RangeError(message, { cause }), { code });
}

function valueOfInstance(plain: unknown): unknown {
  const instance = valueOfNotation({ instance: ['example/Point', null] }) as { plain: unknown };
  instance.plain = plain;
  return instance;
}

function emptyContainer(kind: number): object {
  return [[], {}, new Map(), new Set(), new Error('e')][kind] ?? [];
}

function addTo(container: object | undefined, value: unknown): void {
  if (Array.isArray(container)) container.push(value);
  else if (container instanceof Map) container.set(value, container.size);
  else if (container instanceof Set) container.add(value);
  else if (container) Object.assign(container, { [`k${Object.keys(container).length}`]: value });
}
