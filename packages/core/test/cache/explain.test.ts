import { describe, expect, it } from 'vitest';
import { explainResult, type Wanted } from '../../src/cache/explain.ts';
import type { ResultMetadata } from '../../src/model/result.ts';
import { keyOf, memory, resultOf } from './tiers-of-memory.ts';

const NOW = 1_000;
const WANTED: Wanted = {
  key: keyOf(9),
  routineId: 'tname:test:fit:1.0.0-dev',
  sourceHash: 'a'.repeat(64),
  codec: 'msgpackr-1',
  outline: ['args[0]', '0123456789abcdef', 'args[1].rate', '0000000000000001'],
  maxAgeMs: undefined,
};
const SAME: Partial<ResultMetadata> = {
  routineId: WANTED.routineId,
  sourceHash: WANTED.sourceHash,
  codec: WANTED.codec,
  outline: WANTED.outline,
  createdAt: NOW,
};

/** What is explained when the store has results with these metadata. */
async function explained(kept: readonly Partial<ResultMetadata>[], wanted: Partial<Wanted> = {}) {
  const store = memory();
  for (const [at, metadata] of kept.entries())
    await store.put(keyOf(at + 1), resultOf(10, { ...SAME, ...metadata }));
  return explainResult(store, { ...WANTED, ...wanted }, NOW);
}

describe('why a result is not there', () => {
  it('is the source, for a version that still changes', async () => {
    expect(await explained([{ sourceHash: 'b'.repeat(64) }])).toMatchObject({
      status: 'miss',
      why: 'the nearest result differs in the source of the routine',
      nearest: { key: keyOf(1), differences: [{ what: 'source' }] },
    });
  });

  it('is never the source of a released version', async () => {
    const released = { routineId: 'tname:test:fit:1.0.0' };
    const codec = { ...released, sourceHash: 'b'.repeat(64), codec: 'other-1' };
    expect(await explained([codec], released)).toMatchObject({
      nearest: { differences: [{ what: 'codec' }] },
    });
  });

  it('is the codec, with the names of both', async () => {
    expect(await explained([{ codec: 'other-1' }])).toMatchObject({
      why: 'the nearest result differs in its codec (other-1 in place of msgpackr-1)',
      nearest: { differences: [{ what: 'codec', stored: 'other-1', called: 'msgpackr-1' }] },
    });
  });

  it('is told of the result that differs least, and of all in which it differs', async () => {
    const far = { codec: 'other-1', sourceHash: 'b'.repeat(64), outline: ['args[0]', 'ffffffffffffffff'] };
    const near = {
      codec: 'other-1',
      outline: ['args[0]', '0123456789abcdef', 'args[1].rate', '0000000000000002'],
    };
    expect(await explained([far, near])).toMatchObject({
      why: 'the nearest result differs in its codec (other-1 in place of msgpackr-1), args[1].rate',
      nearest: {
        key: keyOf(2),
        differences: [{ what: 'codec' }, { what: 'argument', path: 'args[1].rate' }],
      },
    });
  });

  it('is all of the arguments when there is no record of them', async () => {
    expect(await explained([{ outline: undefined }])).toMatchObject({
      nearest: { differences: [{ what: 'argument', path: 'args' }] },
    });
  });
});
