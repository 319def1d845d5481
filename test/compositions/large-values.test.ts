import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lifecycle, type EngineEvent } from '@routine-engine/core';
import { fsStore } from '@routine-engine/store-fs';
import { embeddedCluster } from '@routine-engine/transport-inproc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  digestOf,
  file,
  fileDigest,
  handsOn,
  matrix,
  rowSum,
  rowSums,
  unremembered,
} from './large-routines.ts';

let dir: string;
let lifecycle: Lifecycle;
let events: EngineEvent[];

async function open(workers: number): Promise<void> {
  const store = fsStore({ dir, fsync: false });
  const modules = [new URL('./large-routines.ts', import.meta.url)];
  const cluster = workers > 0 ? [embeddedCluster({ workers, modules })] : [];
  lifecycle = await Lifecycle.init({ project: 'test', plugins: [store, ...cluster] });
  events = [];
  lifecycle.events$.subscribe((event) => events.push(event));
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'routine-engine-'));
});
afterEach(async () => {
  await lifecycle.shutdown();
  await rm(dir, { recursive: true });
});

const of = <Type extends EngineEvent['type']>(type: Type): Extract<EngineEvent, { type: Type }>[] =>
  events.filter((event): event is Extract<EngineEvent, { type: Type }> => event.type === type);
const executed = (): string[] =>
  of('run.starting')
    .map(({ routineId }) => routineId.split(':')[2] ?? '')
    .filter((name) => !name.startsWith('row-sums'));
const contentOf = (chunks: number): Buffer =>
  Buffer.concat(Array.from({ length: chunks }, (_, index) => Buffer.alloc(256 * 1024, index)));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
/** The files of the blobs in the store. */
async function blobFiles(): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    return entry.isFile() && path.includes('/blobs/') ? [path] : [];
  });
}
async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe.each([
  ['the calling thread', 0],
  ['a cluster of two workers', 2],
])('a directory that keeps blobs, and %s', (_, workers) => {
  beforeEach(() => open(workers));

  it('moves a matrix that many runs need once', async () => {
    const expected = Array.from({ length: 20 }, (_, row) => row);
    const sums = await rowSums(200_000, 20);
    expect(sums).toHaveLength(expected.length);
    expect(of('content.stored')).toMatchObject([{ byteLength: 800_000, outcome: 'stored' }]);
    expect(of('content.fetched')).toMatchObject([{ byteLength: 800_000 }]);
    expect(of('content.reused')).toHaveLength(19);
    for (const { byteLength } of of('run.dispatched')) expect(byteLength).toBeLessThan(2_000);
  });

  it('keeps equal content once, whichever result it is in', async () => {
    await matrix(100_000, 1);
    await matrix.with({ cache: false }).ref(100_000, 1);
    expect(of('content.stored').map(({ outcome }) => outcome)).toEqual(['stored', 'present']);
    expect(await blobFiles()).toHaveLength(1);
  });

  it('gives the same for a value, for a reference to it, and from the store', async () => {
    const values = await matrix(100_000, 2);
    const ref = await matrix.ref(100_000, 2);
    const sum = await rowSum({ values }, 3);
    expect(await rowSum({ values: ref }, 3)).toBe(sum);
    expect(await ref.value()).toEqual(values);
    expect((await collect(ref.stream())).equals(Buffer.from(values.buffer))).toBe(true);
    expect(await handsOn(ref)).toEqual([await rowSum({ values }, 0), ref.byteLength]);
    expect(executed().filter((name) => name === 'matrix')).toHaveLength(1);
  });

  it('computes again what has lost a blob', async () => {
    await matrix(100_000, 3);
    for (const path of await blobFiles()) await rm(path);
    expect(await matrix(100_000, 3)).toHaveLength(100_000);
    expect(await matrix(100_000, 3)).toHaveLength(100_000);
    expect(executed()).toEqual(['matrix', 'matrix']);
  });

  it('computes again what has a damaged blob', async () => {
    await matrix(100_000, 4);
    for (const path of await blobFiles()) await truncate(path, 1_000);
    expect(await matrix(100_000, 4)).toHaveLength(100_000);
    expect(await matrix(100_000, 4)).toHaveLength(100_000);
    expect(executed()).toEqual(['matrix', 'matrix']);
    expect(of('store.corrupt')).not.toEqual([]);
  });

  it.each([1, 40])('gives a stream chunk by chunk, and again from the store: %i chunks', async (chunks) => {
    expect((await collect(await file(chunks))).equals(contentOf(chunks))).toBe(true);
    expect((await collect(await file(chunks))).equals(contentOf(chunks))).toBe(true);
    expect(executed()).toEqual(['file']);
    const { content } = await unremembered(chunks);
    expect((await collect(content)).equals(contentOf(chunks))).toBe(true);
  });

  it('hands a stream from task to task', async () => {
    expect(await fileDigest(24)).toBe(sha256(contentOf(24)));
    expect(await digestOf(await file.ref(24))).toBe(sha256(contentOf(24)));
    expect(executed()).toEqual(['file-digest', 'file', 'digest-of']);
  });
});
