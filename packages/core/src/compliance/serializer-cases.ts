import assert from 'node:assert/strict';
import type { Serializer } from '../ports/serializer.js';
import { carried } from './codec-samples.js';
import type { SerializerCase, SerializerGiven } from './serializer-subject.js';

class Foreign {
  readonly data = 1;
}

/** Objects that are nobody's but the codec's, and one that is another class's. */
const FOREIGN: readonly (() => object)[] = [
  () => ({}),
  () => Object.create(null) as object,
  () => [],
  () => new Map(),
  () => new Date(0),
  () => new Error('e'),
  () => /a/,
  () => new Uint8Array(1),
  () => Promise.resolve(),
  () => new Foreign(),
  () => new Proxy({}, {}),
  () => ({ constructor: null, key: 'x', name: 'x', type: 'x' }),
];

/** What a stranger may send in place of what `serialize` gives. */
const HOSTILE: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => true,
  () => -1,
  () => NaN,
  () => 1n,
  () => '',
  () => 'x'.repeat(100_000),
  () => [],
  () => Array.from({ length: 10_000 }, () => null),
  () => ({}),
  () => Object.create(null) as unknown,
  () =>
    JSON.parse(
      '{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}',
    ) as unknown,
  () => ({ length: 2 ** 32, byteLength: -1, name: {} }),
  () => new Map<unknown, unknown>([[{}, new Map()]]),
  () => new Error('e'),
  () => new Uint8Array(3),
];

const REFUSALS = new Set(['BYTES_MALFORMED', 'VALUE_TOO_DEEP', 'SERIALIZER_UNKNOWN']);

export const claimCases: readonly SerializerCase[] = [
  {
    id: 'serializer/claims/key',
    title: 'has a key of 1 to 200 characters, which codecs announce',
    promise: 'serializers-matched',
    run: async ({ serializer, codec, samples }) => {
      assert.equal(typeof serializer.key, 'string');
      assert.ok(serializer.key.length >= 1 && serializer.key.length <= 200, `its key is "${serializer.key}"`);
      assert.ok(codec.serializers.includes(serializer.key));
      for (const sample of samples()) {
        assert.ok(codec.encode([sample]).serializers?.includes(serializer.key), 'the bytes do not name it');
      }
    },
  },
  {
    id: 'serializer/claims/own',
    title: 'claims its instances, as often as it is asked',
    promise: 'equal-or-refused',
    run: async ({ serializer, samples }) => {
      assert.ok(samples().length >= 2, 'the subject has fewer than two samples');
      for (const sample of [...samples(), ...samples()]) assert.equal(serializer.claims(sample), true);
    },
  },
  {
    id: 'serializer/claims/foreign',
    title: 'claims nothing else, and throws at nothing',
    promise: 'equal-or-refused',
    run: async ({ serializer }) => {
      for (const [at, make] of FOREIGN.entries()) {
        assert.equal(serializer.claims(make()), false, `it claims number ${at} of the foreign objects`);
      }
    },
  },
];

export const instanceCases: readonly SerializerCase[] = [
  {
    id: 'serializer/instances/arrive',
    title: 'gives back instances that are equal, and claimed again',
    promise: 'equal-or-refused',
    run: async ({ serializer, codec, samples, plain }) => {
      for (const sample of samples()) {
        const arrived = carried(codec, sample);
        assert.equal(serializer.claims(arrived), true, 'what arrives is not claimed');
        assert.equal(Object.getPrototypeOf(arrived), Object.getPrototypeOf(sample), 'its class');
        assert.deepEqual(plain(arrived), plain(sample));
      }
    },
  },
  {
    id: 'serializer/instances/inside',
    title: 'carries instances inside other values, each as one',
    promise: 'equal-or-refused',
    run: async ({ codec, samples, plain }) => {
      const [one, two] = samples();
      assert.ok(one && two);
      const arrived = carried(codec, { list: [one, two, one], map: new Map([['one', one]]), gap: undefined });
      assert.deepEqual(arrived.list.map(plain), [one, two, one].map(plain));
      assert.equal(arrived.list[0], arrived.list[2], 'one instance became two');
      assert.equal(arrived.map.get('one'), arrived.list[0]);
    },
  },
  {
    id: 'serializer/instances/untouched',
    title: 'leaves an instance as it was',
    promise: 'arguments-untouched',
    run: async ({ codec, samples, plain }) => {
      for (const [at, sample] of samples().entries()) {
        codec.encode(sample);
        codec.digest(sample);
        assert.deepEqual(plain(sample), plain(samples()[at] as object));
      }
    },
  },
  {
    id: 'serializer/instances/own',
    title: 'makes an instance anew each time, which shares nothing with others',
    promise: 'own-value',
    run: async ({ codec, samples, plain }) => {
      for (const [at, sample] of samples().entries()) {
        const encoded = codec.encode([sample]);
        const [first] = codec.decode(encoded, { copy: true }) as [object];
        const [second] = codec.decode(encoded, { copy: true }) as [object];
        assert.notEqual(first, second, 'it gave one instance twice');
        assert.notEqual(first, sample, 'it gave the instance that was sent');
        assert.deepEqual(plain(second), plain(samples()[at] as object));
      }
    },
  },
  {
    id: 'serializer/instances/digests',
    title: 'gives equal instances one digest, and different ones different digests',
    promise: 'digest-defined',
    run: async ({ codec, samples }) => {
      const digests = samples().map((sample) => codec.digest(sample));
      assert.deepEqual(
        samples().map((sample) => codec.digest(sample)),
        digests,
      );
      assert.equal(new Set(digests).size, digests.length, 'two samples have one digest');
    },
  },
  {
    id: 'serializer/instances/stable',
    title: 'says the same of an instance that has arrived as of the one that was sent',
    promise: 'digest-defined',
    run: async ({ codec, samples }) => {
      for (const sample of samples()) {
        const arrived = carried(codec, carried(codec, sample));
        assert.equal(codec.digest(arrived), codec.digest(sample));
      }
    },
  },
  {
    id: 'serializer/instances/beside-others',
    title: 'carries its instances beside other serializers, whichever is asked first',
    promise: 'serializers-matched',
    run: async ({ serializer, create, samples, plain }) => {
      for (const all of [
        [serializer, foreign],
        [foreign, serializer],
      ]) {
        const [arrived, other] = carried(create(all as Serializer[]), [
          samples()[0] as object,
          new Foreign(),
        ]);
        assert.deepEqual(plain(arrived as object), plain(samples()[0] as object));
        assert.ok(other instanceof Foreign, 'it carries what is not its own');
      }
    },
  },
];

export const hostilePlainCases: readonly SerializerCase[] = [
  {
    id: 'serializer/hostile/plain',
    title: 'refuses what is no form of an instance, or makes a sound instance of it',
    promise: 'hostile-input-refused',
    run: async (given) => {
      for (const [at, make] of HOSTILE.entries())
        assertChecks(given, make(), `number ${at} of the hostile values`);
    },
  },
  {
    id: 'serializer/hostile/changed',
    title: 'does the same with its own form when something is missing or of another kind',
    promise: 'hostile-input-refused',
    run: async (given) => {
      for (const sample of given.samples()) {
        const form = given.serializer.serialize(sample);
        if (typeof form !== 'object' || form === null) continue;
        for (const key of Object.keys(form)) {
          for (const make of HOSTILE) {
            const changed: unknown = Array.isArray(form) ? [...(form as unknown[])] : { ...form };
            (changed as Record<string, unknown>)[key] = make();
            assertChecks(given, changed, `another "${key}"`);
          }
        }
      }
    },
  },
];

class Impostor {}

/** Fails unless what a stranger sends is refused, or becomes an instance that can be sent again. */
function assertChecks({ serializer, codec, create }: SerializerGiven, form: unknown, what: string): void {
  const impostor: Serializer<Impostor> = {
    key: serializer.key,
    claims: (value): value is Impostor => value instanceof Impostor,
    serialize: () => form,
    deserialize: () => new Impostor(),
  };
  const encoded = create([impostor as Serializer]).encode([new Impostor()]);
  let arrived: unknown;
  try {
    [arrived] = codec.decode(encoded) as [unknown];
  } catch (error) {
    const { code } = error as { code?: string };
    assert.ok(code !== undefined && REFUSALS.has(code), `${what}: ${String(error)}`);
    return;
  }
  assert.equal(
    ({} as { polluted?: unknown }).polluted,
    undefined,
    `${what}: every object has a property now`,
  );
  assert.ok(typeof arrived === 'object' && arrived !== null, `${what} became no instance`);
  assert.equal(serializer.claims(arrived), true, `${what} became no instance`);
  assert.doesNotThrow(() => codec.digest(arrived), `${what} became an instance that cannot be sent`);
}

const foreign: Serializer<Foreign, null> = {
  key: 'compliance/Foreign',
  claims: (value): value is Foreign => value instanceof Foreign,
  serialize: () => null,
  deserialize: () => new Foreign(),
};
