import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.ts';
import type { Codec } from '../../src/ports/codec.ts';

export type CodecBreakage = (sound: MsgpackrCodec) => Partial<Codec>;
export type BrokenCodec = readonly [what: string, ids: readonly string[], breakage: CodecBreakage];

/** A codec that keeps every promise but what `breakage` puts in place of its methods. */
export function brokenCodec(
  breakage: CodecBreakage,
  ...made: ConstructorParameters<typeof MsgpackrCodec>
): Codec {
  const sound = new MsgpackrCodec(...made);
  return {
    name: sound.name,
    capabilities: sound.capabilities,
    serializers: sound.serializers,
    encode: (...args) => sound.encode(...args),
    decode: (...args) => sound.decode(...args),
    references: (...args) => sound.references(...args),
    contentPart: (...args) => sound.contentPart(...args),
    digest: (...args) => sound.digest(...args),
    digestNode: (...args) => sound.digestNode(...args),
    unfinishedDigestNode: (...args) => sound.unfinishedDigestNode(...args),
    ...breakage(sound),
  };
}

/** A codec that gives something else for some values that arrive. */
const arriving =
  (change: (value: unknown) => unknown): CodecBreakage =>
  (sound) => ({ decode: (...args) => change(sound.decode(...args)) });

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;

const VALUES: readonly BrokenCodec[] = [
  [
    'makes null of undefined',
    ['codec/values/undefined'],
    arriving((value) => (value === undefined ? null : value)),
  ],
  [
    'makes 0 of -0',
    ['codec/values/minus-zero'],
    arriving((value) => (Array.isArray(value) && Object.is(value[0], -0) ? [0, ...value.slice(1)] : value)),
  ],
  [
    'turns the order of keys round',
    ['codec/values/key-order'],
    arriving((value) =>
      isPlain(value) && 'z' in value ? Object.fromEntries(Object.entries(value).toReversed()) : value,
    ),
  ],
  [
    'sorts maps',
    ['codec/values/maps'],
    arriving((value) => (value instanceof Map && value.size > 3 ? new Map([...value].reverse()) : value)),
  ],
  [
    'fills holes',
    ['codec/values/holes'],
    arriving((value) =>
      Array.isArray(value) && Array.isArray(value[0]) && value[0].length === 4 && value[0][0] === 1
        ? [[...(value[0] as unknown[])], value[1]]
        : value,
    ),
  ],
  [
    'makes texts well-formed',
    ['codec/values/lone-surrogates'],
    arriving((value) =>
      Array.isArray(value) && value[0] === '\ud800' ? ['\ufffd', ...(value.slice(1) as unknown[])] : value,
    ),
  ],
  [
    'makes a valid date of an invalid one',
    ['codec/values/invalid-dates'],
    arriving((value) =>
      Array.isArray(value) && value[0] instanceof Date && Number.isNaN(value[0].getTime())
        ? [new Date(0)]
        : value,
    ),
  ],
  [
    'takes errors for what they say',
    ['codec/errors/aggregate'],
    arriving((value) => {
      if (value instanceof AggregateError) value.errors = [];
      return value;
    }),
  ],
  [
    'cuts stacks off',
    ['codec/errors/classes'],
    arriving((value) => (value instanceof Error ? Object.assign(value, { stack: '' }) : value)),
  ],
  [
    'makes two of one',
    ['codec/references/shared'],
    arriving((value) =>
      Array.isArray(value) && value.length === 2 && isPlain(value[0]) && value[0] === value[1]
        ? [value[0], { ...value[0] }]
        : value,
    ),
  ],
  [
    'makes a Uint8Array of a Buffer',
    ['codec/binary/buffers'],
    arriving((value) =>
      isPlain(value) && Buffer.isBuffer(value['buffer'])
        ? { buffer: new Uint8Array(value['buffer']) }
        : value,
    ),
  ],
  [
    'loses the last byte of a large value',
    ['codec/binary/large'],
    arriving((value) =>
      isPlain(value) &&
      Array.isArray(value['a']) &&
      value['a'][0] instanceof Uint8Array &&
      value['a'][0].byteLength > 2 ** 20
        ? { a: [value['a'][0].subarray(1)] }
        : value,
    ),
  ],
];

let pool = new Uint8Array(0);

const BYTES: readonly BrokenCodec[] = [
  [
    'never copies',
    ['codec/ownership/copies-on-demand'],
    (sound) => ({ decode: (encoded, options) => sound.decode(encoded, { ...options, copy: false }) }),
  ],
  [
    'gives heads in memory that it uses again',
    ['codec/ownership/own-heads', 'codec/hostile/truncated'],
    (sound) => ({
      encode(...args) {
        const encoded = sound.encode(...args);
        if (encoded.head.byteLength > 150) return encoded;
        if (pool.byteLength === 0) pool = new Uint8Array(1000);
        pool.set(encoded.head);
        return { ...encoded, head: pool.subarray(0, encoded.head.byteLength) };
      },
    }),
  ],
  [
    'marks what it has encoded',
    ['codec/ownership/value-untouched'],
    (sound) => ({
      encode(value, options) {
        const encoded = sound.encode(value, options);
        if (isPlain(value) && 'text' in value && 'bytes' in value) value['text'] = '';
        return encoded;
      },
    }),
  ],
  ['knows no content', ['codec/binary/content-part'], () => ({ contentPart: () => undefined })],
  [
    'lists references twice',
    ['codec/references/listed-refs'],
    (sound) => ({ references: (encoded) => [...sound.references(encoded), ...sound.references(encoded)] }),
  ],
  [
    'takes references where none may be',
    ['codec/references/unwanted-refs'],
    (sound) => ({
      decode: (encoded, options) => sound.decode(encoded, { reference: () => undefined, ...options }),
    }),
  ],
  [
    'says that it knows no shared parts',
    ['codec/declarations/declared'],
    () => ({ capabilities: { references: false, outOfBand: true } }),
  ],
];

const DIGESTS: readonly BrokenCodec[] = [
  [
    'gives upper-case digests',
    ['codec/digests/form', 'codec/digests/golden'],
    (sound) => ({ digest: (...args) => sound.digest(...args).toUpperCase() }),
  ],
  [
    'digests all memory behind a view',
    ['codec/digests/offsets'],
    (sound) => ({
      digest: (value, options) =>
        sound.digest(
          value instanceof Uint8Array && !Buffer.isBuffer(value) ? new Uint8Array(value.buffer) : value,
          options,
        ),
    }),
  ],
  [
    'digests sets without their order',
    ['codec/digests/different-values', 'codec/digests/golden'],
    (sound) => ({
      digest: (value, options) =>
        sound.digest(
          value instanceof Set
            ? new Set([...value].toSorted((a, b) => (String(a) < String(b) ? -1 : 1)))
            : value,
          options,
        ),
    }),
  ],
  [
    'digests by the order of keys',
    ['codec/digests/key-order'],
    (sound) => ({
      digest: (value, options) =>
        Array.isArray(value) &&
        isPlain(value[0]) &&
        'b' in value[0] &&
        isPlain(value[0]['b']) &&
        'x' in value[0]['b']
          ? sound.digest(Object.keys(value[0]['b']), options)
          : sound.digest(value, options),
    }),
  ],
  [
    'forgets the path as it digests',
    [
      'codec/refusals/functions',
      'codec/refusals/symbols',
      'codec/refusals/instances',
      'codec/refusals/promises',
      'codec/refusals/weak-maps',
      'codec/refusals/map-keys',
      'codec/refusals/symbol-keys',
      'codec/refusals/array-properties',
      'codec/refusals/date-properties',
      'codec/refusals/shared-memory',
      'codec/refusals/transferred-memory',
      'codec/refusals/causes',
    ],
    (sound) => ({ digest: (value) => sound.digest(value) }),
  ],
];

/** What is wrong with values, memory and digests, the cases that find it, and how. */
export const BROKEN_CODECS: readonly BrokenCodec[] = [...VALUES, ...BYTES, ...DIGESTS];
