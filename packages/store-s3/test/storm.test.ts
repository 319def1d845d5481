import { RoutineEngineError } from '@routine-engine/core/adapter';
import { expect, it } from 'vitest';
import {
  bytesOf,
  digestOf,
  digestsOf,
  inChunks,
  namesIn,
  openStore,
  readDigest,
  resultOf,
  startServer,
  streamed,
} from './place.ts';
import type { Fault } from './s3-double.ts';

const KEYS = Array.from({ length: 12 }, (_, at) => at.toString(16).padStart(64, '0'));
const FAULTS: readonly Fault[] = [
  { refuse: [503, 'SlowDown'] },
  { refuse: [500, 'InternalError'] },
  { refuse: [409, 'ConditionalRequestConflict'] },
  { reset: 'unseen' },
  { reset: 'lost' },
  { cutAt: 50 },
  { cutAt: 300 },
];
/** In a hundred. Puts of large results make five requests. */
const FAULTY = 35;

/** What a call came to: its value, or the error that its port prescribes. */
async function outcomeOf<T>(call: Promise<T>): Promise<T | 'unreachable'> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof RoutineEngineError && error.code === 'STORE_UNREACHABLE') return 'unreachable';
    throw error;
  }
}

it.each([1, 2, 3, 4])(
  'a storm of failing, broken and lost answers loses nothing that was told to be stored, and gives nothing wrong: %i',
  async (seed) => {
    const server = await startServer();
    let state = seed;
    const chance = (most: number): number =>
      ((state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 8) % most;
    server.interfere = (): Fault | undefined =>
      chance(100) < FAULTY ? FAULTS[chance(FAULTS.length)] : undefined;
    const open = () => openStore(server, { attempts: 3, timeouts: { idleMs: 1000 } });
    const [{ store, events }, { store: other }] = [open(), open()];
    const sizeOf = (at: number): number => (at % 2 === 0 ? 2_000 : 300_000);
    const told = await Promise.all(
      KEYS.map(async (key, at) => {
        const result = resultOf(10, sizeOf(at));
        const puts = [store.put(key, result), other.put(key, streamed(result))];
        const outcomes = await Promise.all(puts.map(outcomeOf));
        const blob = await outcomeOf(store.blobs.put(inChunks(bytesOf(sizeOf(at), at))));
        const got = await outcomeOf(other.get(key).then(digestsOf));
        return { key, at, outcomes, isBlobKept: blob !== 'unreachable', got };
      }),
    );
    server.interfere = () => undefined;
    const wrong: string[] = [];
    let kept = 0;
    for (const { key, at, outcomes, isBlobKept, got } of told) {
      const sound = String(await digestsOf(resultOf(10, sizeOf(at))));
      const found = String(await digestsOf(await store.get(key)));
      const isKept = outcomes.some((outcome) => outcome !== 'unreachable');
      kept += Number(isKept);
      if (outcomes.every((outcome) => outcome === 'stored')) wrong.push(`${key} was stored twice`);
      if (found !== sound && (isKept || found !== 'undefined')) wrong.push(`${key} is ${found}`);
      if (![sound, 'undefined', 'unreachable'].includes(String(got))) wrong.push(`${key} was ${String(got)}`);
      const digest = digestOf(bytesOf(sizeOf(at), at));
      const isReadable = (await readDigest(await store.blobs.get(digest))) === digest;
      if (isBlobKept && !isReadable) wrong.push(`the blob ${digest} is not there`);
    }
    expect(wrong).toEqual([]);
    // Else it was no storm, or nothing got through.
    expect(kept).toBeGreaterThan(0);
    expect(events).toEqual([]);
    expect(namesIn(server, 'corrupt/')).toEqual([]);
  },
  60_000,
);
