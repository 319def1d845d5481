import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bodyOf, LIMITS, type ResultMetadata } from '@routine-engine/core/adapter';
import { FsStore } from '@routine-engine/store-fs';
import cacache from 'cacache';
import { summarise, type Measured } from './measure.js';
import type { Question } from './question.js';

const KIB = 1024;
const MIB = 1024 * KIB;
/** How much is kept at a time, how often a round, and in how many rounds. */
const SIZES = [
  { name: '1 KiB', bytes: KIB, times: 100, rounds: 7 },
  { name: '1 MiB', bytes: MIB, times: 10, rounds: 7 },
  { name: '64 MiB', bytes: 64 * MIB, times: 1, rounds: 7 },
];
const METADATA: ResultMetadata = {
  routineId: 'tname:bench:kept:1.0.0',
  argumentsDigest: 'b'.repeat(64),
  runId: '0190b5a2-4c1e-7d3a-9f21-3c5d7e9f1a2b',
  codec: 'bench-1',
  createdAt: 0,
  durationMs: 1,
};

/** One way to keep bytes under a key. */
interface Keeper {
  readonly name: string;
  put(key: string, bytes: Buffer): Promise<unknown>;
  get(key: string): Promise<Uint8Array>;
  close?(): Promise<void>;
}

function ours(dir: string, fsync: boolean): Keeper {
  const store = new FsStore({ dir, fsync, now: () => Date.now(), node: 'bench' });
  return {
    name: 'store-fs',
    async put(key, bytes) {
      if (bytes.byteLength < LIMITS.blobBytes)
        return store.put(key, { metadata: METADATA, body: bodyOf({ head: bytes, buffers: [] }) });
      const { blob } = await store.blobs.put(bytes);
      const blobs = [{ part: 1, digest: blob.digest, byteLength: blob.byteLength }];
      const body = bodyOf({ head: new Uint8Array(1), buffers: [new Uint8Array(0)] });
      return store.put(key, { metadata: { ...METADATA, blobs }, body });
    },
    async get(key) {
      const found = await store.get(key);
      const [named] = found?.metadata.blobs ?? [];
      if (!named) return found?.body.parts?.[0] ?? new Uint8Array(0);
      const blob = await store.blobs.get(named.digest);
      const bytes = new Uint8Array(named.byteLength);
      await blob?.readInto?.(bytes);
      return bytes;
    },
    close: () => store.close(),
  };
}

/** It has no option for fsync: with it, what it wrote is synced afterwards. */
function theirs(dir: string, fsync: boolean): Keeper {
  return {
    name: fsync ? 'cacache, then synced' : 'cacache',
    async put(key, bytes) {
      await cacache.put(dir, key, bytes, { algorithms: ['sha256'], memoize: false });
      if (!fsync) return;
      const info = await cacache.get.info(dir, key);
      if (!info) throw new Error(`cacache does not have ${key}`);
      const { path } = info;
      const hashed = createHash('sha256').update(key).digest('hex');
      const index = join(dir, 'index-v5', hashed.slice(0, 2), hashed.slice(2, 4), hashed.slice(4));
      for (const file of [path, dirname(path), index, dirname(index)]) await syncPath(file);
    },
    get: async (key) => (await cacache.get(dir, key, { memoize: false })).data,
  };
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r');
  await file.sync();
  await file.close();
}

/** Puts and gets by both in turns. @returns what each took: puts and gets of each keeper. */
async function putsAndGets(
  keepers: readonly Keeper[],
  { bytes, times, rounds }: (typeof SIZES)[number],
): Promise<{ puts: number[]; gets: number[] }[]> {
  const took = keepers.map(() => ({ puts: [] as number[], gets: [] as number[] }));
  for (let round = 0; round <= rounds; round += 1) {
    for (const [at, keeper] of keepers.entries()) {
      const kept = Array.from(
        { length: times },
        () => [randomBytes(32).toString('hex'), randomBytes(bytes)] as const,
      );
      const puts = await timed(async () => {
        for (const [key, content] of kept) await keeper.put(key, content);
      });
      const got: Uint8Array[] = [];
      const gets = await timed(async () => {
        for (const [key] of kept) got.push(await keeper.get(key));
      });
      for (const [index, [, content]] of kept.entries())
        if (Buffer.compare(got[index] ?? Buffer.alloc(0), content) !== 0) throw new Error('Wrong bytes');
      // The first round only warms up.
      if (round === 0) continue;
      took[at]?.puts.push((puts * 1000) / times);
      took[at]?.gets.push((gets * 1000) / times);
    }
  }
  return took;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

async function compare(size: (typeof SIZES)[number], fsync: boolean): Promise<Measured[]> {
  const dir = await mkdtemp(join(tmpdir(), 'routine-bench-cacache-'));
  const keepers = [ours(join(dir, 'ours'), fsync), theirs(join(dir, 'theirs'), fsync)];
  const took = await putsAndGets(keepers, size);
  for (const keeper of keepers) await keeper.close?.();
  await rm(dir, { recursive: true });
  const policy = fsync ? 'fsync' : 'no fsync';
  return (['puts', 'gets'] as const).flatMap((what) =>
    keepers.map(({ name }, at) =>
      summarise(`${name}: ${what.slice(0, 3)} ${size.name}, ${policy}`, took[at]?.[what] ?? []),
    ),
  );
}

export const storeFsCacache: Question = {
  name: 'store-fs-cacache',
  title: 'Keeping and reading content in a directory, beside cacache',
  isLong: true,
  async ask() {
    const measured: Measured[] = [];
    for (const fsync of [false, true])
      for (const size of SIZES) measured.push(...(await compare(size, fsync)));
    const verdicts: string[] = [];
    for (let at = 0; at < measured.length; at += 2) {
      const [mine, other] = measured.slice(at, at + 2);
      if (!mine || !other) continue;
      verdicts.push(`${mine.name} takes ${(mine.median / other.median).toFixed(2)} x ${other.name}`);
    }
    return { measured, verdicts };
  },
};
