import { describe, expect, it } from 'vitest';
import { serializerCompliance, serializerKit } from '../../src/compliance/serializer.ts';
import type { SerializerSubject } from '../../src/compliance/serializer-subject.ts';
import type { Serializer } from '../../src/ports/serializer.ts';
import { failedCases } from './failed-cases.ts';

class Point {
  constructor(
    readonly x: number,
    readonly tags: readonly string[] = [],
  ) {}
}

const sound: Serializer<Point> = {
  key: 'test/Point',
  claims: (value): value is Point => value instanceof Point,
  serialize: ({ x, tags }) => ({ x, tags: [...tags] }),
  deserialize: (plain) => {
    const { x, tags } = (plain ?? {}) as { x?: unknown; tags?: unknown };
    if (typeof x !== 'number' || !Array.isArray(tags) || !tags.every((tag) => typeof tag === 'string')) {
      throw new TypeError('This is no point');
    }
    return new Point(x, tags);
  },
};

function subjectOf(broken: Partial<Serializer<Point>>): SerializerSubject<Point> {
  return {
    serializer: { ...sound, ...broken },
    samples: () => [new Point(1), new Point(-0, ['a', 'b']), new Point(NaN, ['b'])],
  };
}

describe('a serializer that checks what it is given', () => {
  serializerCompliance({ describe, it }, subjectOf({}));
});

const made = new Point(1);
let nonce = 0;
const INSTANCES = 'serializer/instances';

const BROKEN: readonly (readonly [
  what: string,
  ids: readonly string[],
  broken: Partial<Serializer<Point>>,
])[] = [
  [
    'claims what has no constructor',
    ['serializer/claims/foreign'],
    { claims: (value): value is Point => value instanceof Point || value.constructor === undefined },
  ],
  [
    'loses a field',
    [`${INSTANCES}/arrive`, `${INSTANCES}/inside`, `${INSTANCES}/own`],
    { serialize: ({ x }) => ({ x, tags: [] }) },
  ],
  [
    'believes what it is given',
    ['serializer/hostile/changed'],
    { deserialize: (plain) => new Point((plain as Point).x, (plain as Point).tags) },
  ],
  [
    'gives what it has made before',
    [`${INSTANCES}/arrive`, `${INSTANCES}/inside`, `${INSTANCES}/own`, `${INSTANCES}/stable`],
    { deserialize: () => made },
  ],
  [
    'says something else each time',
    [`${INSTANCES}/digests`, `${INSTANCES}/stable`],
    { serialize: ({ x, tags }) => ({ x, tags: [...tags], nonce: (nonce += 1) }) },
  ],
  [
    'marks what it has serialized',
    [`${INSTANCES}/arrive`, `${INSTANCES}/inside`, `${INSTANCES}/untouched`],
    {
      serialize: (point) => {
        const form = sound.serialize(point);
        Object.assign(point, { isSent: true });
        return form;
      },
    },
  ],
  [
    'makes plain objects',
    [
      `${INSTANCES}/arrive`,
      `${INSTANCES}/inside`,
      `${INSTANCES}/own`,
      `${INSTANCES}/stable`,
      `${INSTANCES}/beside-others`,
      'serializer/hostile/plain',
      'serializer/hostile/changed',
    ],
    { deserialize: (plain) => plain as Point },
  ],
];

describe('the kit for serializers', () => {
  it.each(BROKEN)('catches a serializer that %s, by exactly these cases', async (_, ids, broken) => {
    expect(await failedCases(serializerKit, subjectOf(broken) as SerializerSubject)).toEqual(ids);
  });
});
