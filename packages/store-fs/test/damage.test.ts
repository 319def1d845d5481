import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { StoreEvent } from '@routine-engine/core/adapter';
import { collectGarbage, verifyStore } from '@routine-engine/core/host';
import { describe, expect, it } from 'vitest';
import type { FsStore } from '../src/fs-store.ts';
import {
  blobFileOf,
  bytesOf,
  fileOf,
  KEY,
  METADATA,
  newDirectory,
  openStore,
  partsOf,
  resultOf,
} from './place.ts';

/** A store that has one result, and the bytes of its file. */
async function storeWith(...sizes: number[]): Promise<{
  dir: string;
  store: FsStore;
  events: StoreEvent[];
  whole: Buffer;
}> {
  const dir = newDirectory();
  const { store, events } = openStore(dir);
  await store.put(KEY, resultOf(...sizes));
  return { dir, store, events, whole: fs.readFileSync(fileOf(dir)) };
}

/** Looks the result up when its file is as given. @returns what the store told, if all was as promised for a damaged one. */
async function detailFor(place: Awaited<ReturnType<typeof storeWith>>, bytes: Uint8Array): Promise<string> {
  const { dir, store, events } = place;
  const corrupt = path.join(dir, 'v1', 'corrupt');
  fs.writeFileSync(fileOf(dir), bytes);
  events.length = 0;
  expect(await store.get(KEY)).toBeUndefined();
  expect(fs.existsSync(fileOf(dir))).toBe(false);
  const [aside, ...others] = fs.readdirSync(corrupt);
  expect(others).toEqual([]);
  expect(aside?.startsWith(KEY)).toBe(true);
  expect(Buffer.compare(fs.readFileSync(path.join(corrupt, aside ?? '')), bytes)).toBe(0);
  fs.rmSync(path.join(corrupt, aside ?? ''));
  const [event, ...more] = events;
  expect(more).toEqual([]);
  expect(event).toMatchObject({ type: 'store.corrupt', at: 42, node: 'client', store: 'fs', key: KEY });
  return event?.type === 'store.corrupt' ? event.detail : '';
}

function flipped(whole: Buffer, at: number, bit: number): Buffer {
  const bytes = Buffer.from(whole);
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
  return bytes;
}

/** A file with a header that was changed, and with both digests made anew, as a program with a mistake would write it. */
function rewritten(whole: Buffer, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(whole);
  const metadataBytes = bytes.readUInt32LE(12);
  const headerEnd = 64 + Math.ceil(metadataBytes / 8) * 8 + 8 * bytes.readUInt32LE(16);
  change(bytes);
  const digest = (end: number): Buffer => createHash('sha256').update(bytes.subarray(0, end)).digest();
  digest(headerEnd).copy(bytes, headerEnd);
  digest(bytes.length - 32).copy(bytes, bytes.length - 32);
  return bytes;
}

const MANY_PARTS = Array.from({ length: 600 }, (_, part) => part % 5);

describe('a damaged result is a miss, is put aside and is told', () => {
  it('when it is cut anywhere', async () => {
    const place = await storeWith(13, 0, 100);
    for (let bytes = 0; bytes < place.whole.length; bytes += 1) {
      expect(await detailFor(place, place.whole.subarray(0, bytes))).toContain(KEY);
    }
  });

  it('when any byte of it is changed', async () => {
    const place = await storeWith(13, 0, 100);
    for (let at = 0; at < place.whole.length; at += 1) {
      expect(await detailFor(place, flipped(place.whole, at, at % 8))).toContain(KEY);
    }
  });

  it('when a large one is cut anywhere', async () => {
    const place = await storeWith(13, 2_500_000, 5, ...MANY_PARTS);
    const { length } = place.whole;
    const cuts = [0, 1, 63, 64, 300, 4095, 4096, 4097, 1024 * 1024, 1024 * 1024 + 1, 2_000_000, length - 33];
    for (const bytes of [...cuts, length - 32, length - 1]) {
      expect(await detailFor(place, place.whole.subarray(0, bytes))).toContain(KEY);
    }
  });

  it('when any region of a large one is changed', async () => {
    const place = await storeWith(13, 2_500_000, 5, ...MANY_PARTS);
    const { length } = place.whole;
    const inHeader = Array.from({ length: 80 }, (_, at) => at * 64 + (at % 64));
    const inBody = Array.from({ length: 25 }, (_, at) => 6000 + at * 99_991);
    for (const at of [
      ...inHeader,
      ...inBody,
      1024 * 1024,
      2 * 1024 * 1024,
      length - 33,
      length - 32,
      length - 1,
    ]) {
      expect(await detailFor(place, flipped(place.whole, at, at % 8))).toContain(KEY);
    }
  });

  it('when something follows it', async () => {
    const place = await storeWith(13, 100);
    expect(await detailFor(place, Buffer.concat([place.whole, Buffer.alloc(1)]))).toContain(KEY);
    expect(await detailFor(place, Buffer.concat([place.whole, place.whole]))).toContain(KEY);
    expect(await detailFor(place, Buffer.concat([place.whole, Buffer.alloc(3_000_000)]))).toContain(KEY);
  });

  it('when it is a file of another kind', async () => {
    const place = await storeWith(13, 100);
    const text = 'This is not a result.\n';
    expect(await detailFor(place, Buffer.from(text))).toContain('has only 22 bytes');
    expect(await detailFor(place, Buffer.from(text.repeat(100)))).toContain(
      'does not begin as a result file does',
    );
    expect(await detailFor(place, Buffer.alloc(2_000_000))).toContain('does not begin as a result file does');
  });

  it('when it is the result of another key', async () => {
    const place = await storeWith(13, 100);
    const other = 'ab'.padEnd(64, '1');
    await place.store.put(other, resultOf(5));
    const bytes = fs.readFileSync(fileOf(place.dir, other));
    expect(await detailFor(place, bytes)).toContain(`holds the result ${other}`);
  });

  it.each([
    ['another format version', 'is of format version 2, not 1', (bytes: Buffer) => bytes.writeUInt32LE(2, 8)],
    ['a reserved field in use', 'has a reserved field', (bytes: Buffer) => bytes.writeUInt32LE(1, 20)],
    ['no part', 'and 0 parts', (bytes: Buffer) => bytes.writeUInt32LE(0, 16)],
    [
      'more parts than fit',
      'and 4294967295 parts',
      (bytes: Buffer) => bytes.writeUInt32LE(0xff_ff_ff_ff, 16),
    ],
    ['too much metadata', 'bytes of metadata', (bytes: Buffer) => bytes.writeUInt32LE(8_388_609, 12)],
    ['a wrong sum of sizes', 'but its header describes', (bytes: Buffer) => bytes.writeUInt8(1, 24)],
    ['metadata that are not JSON', 'are not JSON', (bytes: Buffer) => bytes.write('[', 64)],
    ['metadata without a routine id', 'something is missing', (bytes: Buffer) => bytes.write('x', 66)],
  ])('when it is complete, but has %s', async (_, detail, change) => {
    const place = await storeWith(13, 100);
    expect(await detailFor(place, rewritten(place.whole, change))).toContain(detail);
  });

  it('and the same bytes under their own name are the result again', async () => {
    const place = await storeWith(13, 0, 100);
    expect(await detailFor(place, flipped(place.whole, 100, 0))).toMatch(/it is now .*corrupt/);
    fs.writeFileSync(fileOf(place.dir), place.whole);
    const found = await place.store.get(KEY);
    expect(await partsOf(found)).toEqual(await partsOf(resultOf(13, 0, 100)));
    expect(found?.metadata).toEqual(METADATA);
  });

  it('and is put aside, not listed, when its header is damaged', async () => {
    const place = await storeWith(13, 100);
    fs.writeFileSync(fileOf(place.dir), flipped(place.whole, 90, 0));
    await place.store.put('cd'.padEnd(64, '0'), resultOf(1));
    const keys: string[] = [];
    for await (const { key } of place.store.list()) keys.push(key);
    expect(keys).toEqual(['cd'.padEnd(64, '0')]);
    expect(fs.existsSync(fileOf(place.dir))).toBe(false);
    expect(place.events).toMatchObject([{ type: 'store.corrupt', key: KEY }]);
  });

  it('and one that is put aside as results are listed takes its pin along', async () => {
    const { dir, store, whole } = await storeWith(13, 100);
    await store.pin(KEY, true);
    fs.writeFileSync(fileOf(dir), whole.subarray(0, -1));
    for await (const entry of store.list()) expect(entry).toBe('nothing');
    expect(fs.readdirSync(path.dirname(fileOf(dir)))).toEqual([]);
  });
});

describe('a store that is verified', () => {
  const DAY_MS = 86_400_000;
  const OTHER = 'cd'.padEnd(64, '0');

  it.each([
    ['no bytes', () => Buffer.alloc(0)],
    ['only its begin', (whole: Buffer) => whole.subarray(0, 40)],
    ['all but its last byte', (whole: Buffer) => whole.subarray(0, -1)],
    ['a byte too much', (whole: Buffer) => Buffer.concat([whole, Buffer.alloc(1)])],
    ['a wrong bit in its header', (whole: Buffer) => flipped(whole, 90, 0)],
    ['a wrong bit in its body', (whole: Buffer) => flipped(whole, whole.length - 40, 0)],
    ['other bytes altogether', () => Buffer.from('This is not a result.\n'.repeat(100))],
  ])('reports a result with %s as damaged, and collecting garbage removes it', async (_, change) => {
    const dir = newDirectory();
    let now = Date.now();
    const clock = { now: () => now };
    const { store } = openStore(dir, clock);
    await store.put(KEY, resultOf(13, 100));
    await store.put(OTHER, resultOf(1));
    const damaged = change(fs.readFileSync(fileOf(dir)));
    fs.writeFileSync(fileOf(dir), damaged);
    const results = { whole: 1, incomplete: 0 };
    expect((await verifyStore(store)).results).toEqual({ ...results, damaged: 1 });
    expect((await verifyStore(store)).results).toEqual({ ...results, damaged: 0 });
    expect((await collectGarbage(store, {}, clock)).swept).toEqual({ items: 0, byteLength: 0 });
    now += 8 * DAY_MS;
    const report = await collectGarbage(store, {}, clock);
    expect(report.kept.results).toBe(1);
    expect(report.swept).toEqual({ items: 1, byteLength: damaged.length });
    expect(fs.readdirSync(path.join(dir, 'v1', 'corrupt'))).toEqual([]);
  });

  it('reports what stands in place of a result or blob and is no file', async () => {
    const { dir, store } = await storeWith(13);
    const { blob } = await store.blobs.put(Buffer.from('replaced'));
    for (const file of [fileOf(dir), blobFileOf(dir, blob.digest)]) {
      fs.rmSync(file);
      fs.symlinkSync('/etc/hostname', file);
    }
    expect(await verifyStore(store)).toEqual({
      results: { whole: 0, damaged: 1, incomplete: 0 },
      blobs: { whole: 0, damaged: 1 },
      byteLength: 0,
    });
    expect(fs.readdirSync(path.join(dir, 'v1', 'corrupt'))).toHaveLength(2);
  });

  it('reports blobs that were cut or changed, and results that lost theirs', async () => {
    const { dir, store } = await storeWith(13);
    const { blob } = await store.blobs.put(bytesOf(5000, 1));
    const other = await store.blobs.put(bytesOf(5000, 2));
    const blobs = [{ part: 1, digest: blob.digest, byteLength: 5000 }];
    await store.put(OTHER, { ...resultOf(10, 0), metadata: { ...METADATA, blobs } });
    fs.truncateSync(blobFileOf(dir, blob.digest), 4000);
    fs.writeFileSync(blobFileOf(dir, other.blob.digest), bytesOf(5000, 3));
    expect(await verifyStore(store)).toEqual({
      results: { whole: 1, damaged: 0, incomplete: 1 },
      blobs: { whole: 0, damaged: 2 },
      byteLength: 13,
    });
  });
});
