import type * as Fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { encodedOf, type StoredResult } from '@routine-engine/core/adapter';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { FsStore } from '../src/fs-store.ts';
import { CrashWorkload, type Expected, expectedAfter, type Note } from './support/crash-workload.ts';
import { powerCut, reachable } from './support/power-cut.ts';
import type { RecordedDisk } from './support/recorded-disk.ts';
import { Seeded } from './support/seeded.ts';

/** How many states are looked at; set `STORE_FS_CRASH_STATES` for more. */
const STATES = Number(process.env['STORE_FS_CRASH_STATES'] ?? 1_000);
const STATES_OF_ONE = 200;
const DAY_MS = 24 * 60 * 60 * 1000;

const recording = vi.hoisted(() => ({ disk: undefined as RecordedDisk | undefined }));

vi.mock('node:fs', async (original) => {
  const fs = (await original<{ default: typeof Fs }>()).default;
  const disk = new (await import('./support/recorded-disk.ts')).RecordedDisk(fs);
  recording.disk = disk;
  const functions = { ...fs, ...disk.functions() };
  return { ...functions, default: functions };
});
const fs = (await vi.importActual<{ default: typeof Fs }>('node:fs')).default;

// In memory where there is such a place: the disk of these tests is made up.
const place = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
const top = fs.realpathSync(fs.mkdtempSync(path.join(place, 'store-fs-crash-')));
afterAll(() => fs.rmSync(top, { recursive: true, force: true }));

interface Recording {
  readonly workload: CrashWorkload;
  readonly steps: RecordedDisk['steps'];
  readonly root: number;
}

/** Has several callers use a store in a directory that is not there yet. */
async function record(seed: number, fsync: boolean): Promise<Recording> {
  const { disk } = recording;
  if (!disk) throw new Error('Nothing records');
  const directory = path.join(top, `live-${seed}`);
  fs.mkdirSync(directory);
  const chance = new Seeded(seed);
  disk.start(directory, chance);
  const workload = new CrashWorkload(chance, (note) => disk.note(note));
  const store = new FsStore({ dir: path.join(directory, 'a', 'b'), fsync, now: Date.now, node: 'crash' });
  await workload.run(store, 6);
  await store.close();
  disk.stop();
  fs.rmSync(directory, { recursive: true });
  return { workload, steps: [...disk.steps], root: disk.root };
}

/** Makes the disk that a power cut left. @returns the directory of the store. */
function rebuild({ steps, root }: Recording, cut: number, chance: Seeded): string {
  const directory = path.join(top, 'after');
  fs.rmSync(directory, { recursive: true, force: true });
  fs.mkdirSync(directory);
  for (const [name, left] of reachable(powerCut(steps.slice(0, cut), root, chance), root)) {
    if (left instanceof Map) fs.mkdirSync(path.join(directory, name));
    else fs.writeFileSync(path.join(directory, name), left);
  }
  return path.join(directory, 'a', 'b');
}

const resultOf = (key: string): string => `v1/${key.slice(0, 2)}/${key}.result`;
const pinOf = (key: string): string => `v1/${key.slice(0, 2)}/${key}.pinned`;

async function isSame(found: StoredResult, put: StoredResult | undefined): Promise<boolean> {
  if (!put || JSON.stringify(found.metadata) !== JSON.stringify(put.metadata)) return false;
  const [one, other] = [await encodedOf(found.body), await encodedOf(put.body)];
  const parts = [other.head, ...other.buffers];
  return [one.head, ...one.buffers].every((part, at) => Buffer.compare(part, parts[at] ?? part) === 0);
}

/** Throws, with all there is to know of the state, unless the store is as it may be. */
async function check(recorded: Recording, cut: number, fsync: boolean, chance: Seeded): Promise<void> {
  const dir = rebuild(recorded, cut, chance);
  let now = Date.now();
  const store = new FsStore({ dir, fsync: false, now: () => now, node: 'crash' });
  const { workload } = recorded;
  const notes = recorded.steps
    .slice(0, cut)
    .flatMap((step) => (step.type === 'note' ? [step.note as Note] : []));
  const may = (of: string): readonly Expected[] | undefined => (fsync ? expectedAfter(notes, of) : undefined);
  const listed = new Map<string, boolean>();
  for await (const { key, pinned } of store.list()) listed.set(key, pinned);
  for (const key of workload.keys) {
    const [hasPin, hasResult] = [pinOf(key), resultOf(key)].map((name) =>
      fs.existsSync(path.join(dir, name)),
    );
    if (hasPin && !hasResult) throw new Error(`The pin of ${key} is left over`);
    const found = await store.get(key);
    const runId = found?.metadata.runId;
    if (found && !(await isSame(found, workload.results.get(runId ?? '')))) throw new Error(`${key} is torn`);
    const pinned = found !== undefined && listed.get(key);
    const isFine =
      may(key)?.some((one) => one.runIds.has(runId) && (!found || one.pinned === pinned)) ?? true;
    if (!isFine) throw new Error(`${key} is ${runId}, pinned ${pinned}, but may be ${describeAll(may(key))}`);
    await store.put(key, workload.results.get(runId ?? '') ?? workload.spare);
    if (!(await store.get(key))) throw new Error(`${key} cannot be put again`);
  }
  for (const [digest, bytes] of workload.blobs) {
    const isThere = await isReadable(store, digest, bytes);
    const isFine = may(digest)?.some(({ runIds }) => runIds.has(isThere ? digest : undefined)) ?? true;
    if (!isFine)
      throw new Error(`The blob ${digest} is readable: ${isThere}, but may be ${describeAll(may(digest))}`);
    await store.blobs.put(bytes);
    if (!(await isReadable(store, digest, bytes))) throw new Error(`${digest} cannot be put again`);
  }
  now += 8 * DAY_MS;
  await store.sweep();
  for await (const { key } of store.list())
    if (!workload.keys.includes(key)) throw new Error(`${key} is listed`);
  for (const key of workload.keys) {
    const lease = await store.leases?.acquire(key, { holder: 'crash', ttlMs: 10_000 });
    if (!lease) throw new Error(`The lease of ${key} is held by nobody`);
  }
  await store.close();
  refuseLeftovers(dir, workload);
}

async function isReadable(store: FsStore, digest: string, bytes: Uint8Array): Promise<boolean> {
  const blob = await store.blobs.get(digest);
  if (!blob) return false;
  let read = 0;
  try {
    for await (const chunk of blob.chunks()) {
      if (Buffer.compare(chunk, bytes.subarray(read, read + chunk.byteLength)) === 0)
        read += chunk.byteLength;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'CONTENT_CORRUPT') return false;
    throw error;
  }
  if (read !== bytes.byteLength) throw new Error(`The blob ${digest} is torn`);
  return true;
}

function refuseLeftovers(dir: string, { keys, blobs }: CrashWorkload): void {
  const allowed = new Set([
    ...['v1', 'v1/blobs', 'v1/corrupt', 'v1/leases', 'v1/tmp', 'v1/aa', 'v1/bb'],
    ...keys.flatMap((key) => [resultOf(key), pinOf(key)]),
    ...[...blobs.keys()].flatMap((digest) => [
      `v1/blobs/${digest.slice(0, 2)}`,
      `v1/blobs/${digest.slice(0, 2)}/${digest}`,
    ]),
  ]);
  for (const name of fs.readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
    if (!allowed.has(name)) throw new Error(`${name} is left over`);
  }
}

function describeAll(possible: readonly Expected[] | undefined): string {
  return (possible ?? [])
    .map(({ runIds, pinned }) => `[${[...runIds].join(' or ')}; pinned ${pinned}]`)
    .join(', ');
}

describe('after a power cut', () => {
  it.each([
    ['nothing is torn, lost or left for ever, and the store works on', true],
    ['nothing is torn or left for ever, and the store works on, also without fsync', false],
  ])('%s', { timeout: 1_000_000 }, async (_, fsync) => {
    const workloads = Math.ceil(STATES / 2 / STATES_OF_ONE);
    for (let seed = 0; seed < workloads; seed += 1) {
      const recorded = await record(seed, fsync);
      expect(recorded.steps.length).toBeGreaterThan(100);
      for (let state = 0; state < STATES_OF_ONE; state += 1) {
        const cut = Math.ceil((state / STATES_OF_ONE) * recorded.steps.length);
        try {
          await check(recorded, cut, fsync, new Seeded(seed * 1_000_003 + state));
        } catch (error) {
          throw new Error(`Workload ${seed}, power cut ${state}, after step ${cut}`, { cause: error });
        }
      }
    }
  });
});
