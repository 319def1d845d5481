import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { define, Lifecycle, memoryStore, tiered, type EngineEvent } from '@routine-engine/core';
import {
  contribute,
  type EnginePlugin,
  RESULT_STORE,
  type ResultStore,
  type Token,
} from '@routine-engine/core/adapter';
import { resultStoreCompliance } from '@routine-engine/core/compliance';
import { collectGarbage, storeStats, verifyStore } from '@routine-engine/core/host';
import { fsStore } from '@routine-engine/store-fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const LARGE_BYTES = 3_000_000;
let computed = 0;
const large = define.task({ name: 'tiered-large', version: '1.0.0' }, (value: number) => {
  computed += 1;
  return { value, bytes: new Uint8Array(LARGE_BYTES).fill(value) };
});
const streamedBytes = define.task({ name: 'tiered-stream', version: '1.0.0' }, (value: number) => {
  computed += 1;
  return (async function* () {
    for (let chunk = 0; chunk < 30; chunk += 1) yield new Uint8Array(100_000).fill(value);
  })();
});

let dirs: [string, string];
beforeEach(async () => {
  computed = 0;
  dirs = [await mkdtemp(join(tmpdir(), 'tier-1-')), await mkdtemp(join(tmpdir(), 'tier-2-'))];
});
afterEach(async () => {
  for (const dir of dirs) {
    await chmod(dir, 0o700);
    await rm(dir, { recursive: true });
  }
});

/** Opens a lifecycle with a store, and takes it out. */
async function openWith(plugin: EnginePlugin): Promise<{ lifecycle: Lifecycle; store: ResultStore }> {
  const stores: ResultStore[] = [];
  const look = contribute(Symbol.for('test/look') as Token<number>, (parts) =>
    stores.push(parts.get(RESULT_STORE)),
  );
  const looker = { name: 'look', api: '^0.1.0', parts: [look] };
  const lifecycle = await Lifecycle.init({ project: 'test', plugins: [plugin, looker] });
  const [store] = stores;
  if (!store) throw new Error('There is no store');
  return { lifecycle, store };
}

const threeTiers = (write: 'through' | 'back' = 'through'): EnginePlugin =>
  tiered([memoryStore(), fsStore({ dir: dirs[0], fsync: false }), fsStore({ dir: dirs[1], fsync: false })], {
    write,
  });

const statsOf = async (dir: string): Promise<Awaited<ReturnType<typeof storeStats>>> => {
  const { lifecycle, store } = await openWith(fsStore({ dir, fsync: false }));
  const stats = await storeStats(store);
  await lifecycle.shutdown();
  return stats;
};

describe('memory over two directories', () => {
  it.each(['through', 'back'] as const)(
    'has everything in both once it is shut down, writing %s',
    async (write) => {
      const { lifecycle } = await openWith(threeTiers(write));
      expect((await lifecycle.run(() => large(7))).bytes).toEqual(new Uint8Array(LARGE_BYTES).fill(7));
      await lifecycle.shutdown();
      for (const dir of dirs) expect(await statsOf(dir)).toMatchObject({ results: 1, blobs: 1 });
    },
  );

  it('answers from the last directory when the others lost everything, and brings it back', async () => {
    const first = await openWith(threeTiers());
    await first.lifecycle.run(() => large(7));
    await first.lifecycle.shutdown();
    await rm(join(dirs[0], 'v1'), { recursive: true });
    const second = await openWith(threeTiers());
    expect((await second.lifecycle.run(() => large(7))).bytes).toEqual(new Uint8Array(LARGE_BYTES).fill(7));
    expect(computed).toBe(1);
    await expect.poll(() => statsOf(dirs[0])).toMatchObject({ results: 1, blobs: 1 });
    await second.lifecycle.shutdown();
  });

  it('answers from the last directory what is damaged in the first', async () => {
    const first = await openWith(threeTiers());
    await first.lifecycle.run(() => large(7));
    await first.lifecycle.shutdown();
    for (const file of await readdir(dirs[0], { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      const bytes = await readFile(path);
      if (bytes.byteLength === 0) continue;
      bytes[bytes.byteLength >> 1]! ^= 1;
      await writeFile(path, bytes);
    }
    const { lifecycle } = await openWith(threeTiers());
    const events: EngineEvent[] = [];
    lifecycle.events$.subscribe((event) => events.push(event));
    expect((await lifecycle.run(() => large(7))).bytes).toEqual(new Uint8Array(LARGE_BYTES).fill(7));
    expect(computed).toBe(1);
    expect(events).toContainEqual(expect.objectContaining({ type: 'store.corrupt', store: 'fs' }));
    await lifecycle.shutdown();
  });

  it('keeps streams in the last directory, and copies them to the first when they are asked for again', async () => {
    const { lifecycle, store } = await openWith(threeTiers());
    for (let round = 0; round < 2; round += 1) {
      let bytes = 0;
      for await (const chunk of await lifecycle.run(() => streamedBytes(3))) bytes += chunk.byteLength;
      expect(bytes).toBe(3_000_000);
    }
    expect(computed).toBe(1);
    await expect.poll(() => statsOf(dirs[0])).toMatchObject({ blobs: 1 });
    expect(await verifyStore(store)).toMatchObject({ results: { whole: 1 }, blobs: { whole: 1 } });
    await lifecycle.shutdown();
  });

  it('is cleared of garbage in all of them at once, and goes on', async () => {
    const { lifecycle, store } = await openWith(threeTiers());
    for (const value of [1, 2, 3, 4]) await lifecycle.run(() => large(value));
    const later = { now: () => Date.now() + 7_200_000 };
    const report = await collectGarbage(store, { maxItems: 1 }, later);
    expect(report.removed).toMatchObject({ results: 3, blobs: 3, blobBytes: 3 * LARGE_BYTES });
    expect((await lifecycle.run(() => large(4))).value).toBe(4);
    expect(computed).toBe(4);
    expect((await lifecycle.run(() => large(1))).value).toBe(1);
    expect(computed).toBe(5);
    await lifecycle.shutdown();
    for (const dir of dirs) expect(await statsOf(dir)).toMatchObject({ results: 2, blobs: 2 });
  });
});

describe.each([
  ['one directory', 'through', 1],
  ['two directories', 'through', 2],
  ['two directories', 'back', 2],
] as const)('memory over %s, writing %s', (_, write, count) => {
  resultStoreCompliance(
    { describe, it },
    {
      capabilities: { durable: true, shared: true },
      blobs: true,
      leases: true,
      copies: true,
      sweeps: true,
      create: async () => {
        const place = await mkdtemp(join(tmpdir(), 'tiers-'));
        const tiers = Array.from({ length: count }, (_value, at) =>
          fsStore({ dir: join(place, String(at)), fsync: false }),
        );
        return {
          open: async () => closing(await openWith(tiered([memoryStore(), ...tiers], { write }))),
          destroy: () => rm(place, { recursive: true }),
        };
      },
    },
  );
});

/** A store whose close shuts its lifecycle down. */
function closing({ lifecycle, store }: { lifecycle: Lifecycle; store: ResultStore }): ResultStore {
  return new Proxy(store, {
    get: (target, name: keyof ResultStore) => {
      if (name === 'close') return () => Promise.all([target.close(), lifecycle.shutdown()]);
      const value: unknown = target[name];
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
