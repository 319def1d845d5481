import { onTestFinished } from 'vitest';
import { MemoryStore } from '../../src/cache/memory-store.ts';
import { TieredStore } from '../../src/cache/tiered-store.ts';
import type { StoreEvent } from '../../src/events/engine-event.ts';
import { bodyOf } from '../../src/model/body.ts';
import type { ResultMetadata, StoredResult } from '../../src/model/result.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { ResultStore } from '../../src/ports/result-store.ts';
import { systemClock } from '../../src/lifecycle/platform/system-clock.ts';

export const METADATA: ResultMetadata = {
  routineId: 'tname:news:train:0.0.1',
  argumentsDigest: 'b'.repeat(64),
  runId: 'run-1',
  codec: 'test-1',
  createdAt: 1_000,
  durationMs: 1,
};

export const keyOf = (number: number): string => number.toString(16).padStart(64, '0');

export function resultOf(byteLength: number, metadata: Partial<ResultMetadata> = {}): StoredResult {
  const head = new Uint8Array(byteLength).fill(byteLength);
  return { metadata: { ...METADATA, ...metadata }, body: bodyOf({ head, buffers: [] }) };
}

/** The same result, with a body that can only be read once, in chunks. */
export function streamed({ metadata, body }: StoredResult): StoredResult {
  const { byteLength, sizes } = body;
  return { metadata, body: { byteLength, sizes, chunks: () => body.chunks() } };
}

export const bytesOf = (byteLength: number, value = 1): Uint8Array => new Uint8Array(byteLength).fill(value);

export async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 10_000) yield bytes.slice(at, at + 10_000);
}

let memories = 0;
export function memory(options: { readonly maxBytes?: number } = {}): MemoryStore {
  memories += 1;
  return new MemoryStore({ id: `tier-${memories}`, node: 'client', clock: systemClock, ...options });
}

/** A tiered store that is closed when the test is over, and what it tells. */
export function tieredOf(
  tiers: readonly ResultStore[],
  write: 'through' | 'back' = 'through',
  clock: Clock = systemClock,
): { store: TieredStore; events: StoreEvent[] } {
  const store = new TieredStore({ tiers, write, clock, node: 'client' });
  const events: StoreEvent[] = [];
  store.events$.subscribe((event) => events.push(event));
  onTestFinished(() => store.close());
  return { store, events };
}

/** Resolves as soon as something is so; fails when that takes very many turns of the loop. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 10_000; turn += 1) {
    if (await isSo()) return;
    await new Promise(setImmediate);
  }
  throw new Error(`It never came to be: ${isSo.toString()}`);
}

/** A promise that is settled from outside. */
export function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open!: () => void;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}
