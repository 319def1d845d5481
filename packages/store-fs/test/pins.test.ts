import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FsStore } from '../src/fs-store.ts';
import {
  blobFileOf,
  bytesOf,
  everythingIn,
  fileOf,
  KEY,
  newDirectory,
  openStore,
  resultOf,
} from './place.ts';

const OTHER = 'ab'.padEnd(64, '1');

/** The keys that a store lists, each with whether it is pinned. */
async function pinsIn(store: FsStore): Promise<Record<string, boolean>> {
  const pins: Record<string, boolean> = {};
  for await (const { key, pinned } of store.list()) pins[key] = pinned;
  return pins;
}

function pinFileOf(dir: string, key = KEY): string {
  return path.join(dir, 'v1', key.slice(0, 2), `${key}.pinned`);
}

describe('pinning a result', () => {
  it('is seen by whoever lists the results, and outlasts the store', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir, { fsync: true });
    await store.put(KEY, resultOf(10));
    await store.put(OTHER, resultOf(10));
    expect(await store.pin(KEY, true)).toBe(true);
    expect(await store.pin(KEY, true)).toBe(true);
    expect(await pinsIn(store)).toEqual({ [KEY]: true, [OTHER]: false });
    await store.close();
    const again = openStore(dir).store;
    expect(await pinsIn(again)).toEqual({ [KEY]: true, [OTHER]: false });
    expect(await again.pin(KEY, false)).toBe(true);
    expect(await again.pin(KEY, false)).toBe(true);
    expect(await pinsIn(again)).toEqual({ [KEY]: false, [OTHER]: false });
  });

  it('leaves nothing when there is no such result', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    expect(await store.pin(KEY, true)).toBe(false);
    expect(await store.pin(KEY, false)).toBe(false);
    await store.put(OTHER, resultOf(10));
    expect(await store.pin(KEY, true)).toBe(false);
    expect(everythingIn(dir)).not.toContain(`v1/ab/${KEY}.pinned`);
    await store.put(KEY, resultOf(10));
    expect(await pinsIn(store)).toEqual({ [KEY]: false, [OTHER]: false });
  });

  it('ends with the result: one that is put later is as any other', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir, { fsync: true });
    await store.put(KEY, resultOf(10));
    await store.pin(KEY, true);
    expect(await store.delete(KEY)).toBe(true);
    expect(fs.readdirSync(path.dirname(fileOf(dir)))).toEqual([]);
    await store.put(KEY, resultOf(10));
    expect(await pinsIn(store)).toEqual({ [KEY]: false });
  });

  it('whose result a delete that was cut off removed goes when the results are listed', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    await store.put(KEY, resultOf(10));
    await store.pin(KEY, true);
    fs.unlinkSync(fileOf(dir));
    expect(await pinsIn(store)).toEqual({});
    expect(fs.existsSync(pinFileOf(dir))).toBe(false);
  });

  it('holds for results that are put, pinned and deleted at once, or is not there', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const keys = Array.from({ length: 200 }, (_, at) => at.toString(16).padStart(64, '0'));
    await Promise.all(keys.map((key) => store.put(key, resultOf(10))));
    const both = await Promise.all(keys.map((key) => Promise.all([store.pin(key, true), store.delete(key)])));
    expect(both.every(([, deleted]) => deleted)).toBe(true);
    expect(fs.readdirSync(path.join(dir, 'v1', '00'))).toEqual([]);
    expect(fs.readdirSync(path.join(dir, 'v1', 'tmp'))).toEqual([]);
  });

  it('refuses a key that is none, and a closed store', async () => {
    const { store } = openStore(newDirectory());
    await expect(store.pin('../x', true)).rejects.toMatchObject({ code: 'STORE_KEY_INVALID' });
    await store.close();
    await expect(store.pin(KEY, true)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('is put aside when it is no file, by an unpin as by a delete', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    await store.put(KEY, resultOf(10));
    fs.mkdirSync(path.join(pinFileOf(dir), 'with', 'more'), { recursive: true });
    expect(await store.pin(KEY, false)).toBe(true);
    expect(await pinsIn(store)).toEqual({ [KEY]: false });
    fs.mkdirSync(path.join(pinFileOf(dir), 'with', 'more'), { recursive: true });
    expect(await store.delete(KEY)).toBe(true);
    expect(fs.readdirSync(path.dirname(fileOf(dir)))).toEqual([]);
    expect(fs.readdirSync(path.join(dir, 'v1', 'corrupt'))).toHaveLength(2);
  });
});

describe('the time when a blob was put', () => {
  const LATER = 1_900_000_000_000;

  it('is that of the file, and a put that finds the blob renews it', async () => {
    const dir = newDirectory();
    let now = LATER;
    const { store } = openStore(dir, { now: () => now });
    const bytes = bytesOf(100);
    const putAt = async (): Promise<number[]> => {
      const times: number[] = [];
      for await (const blob of store.blobs.list()) times.push(blob.putAt);
      return times;
    };
    const { blob } = await store.blobs.put(bytes);
    expect(await putAt()).toEqual([LATER]);
    expect(fs.statSync(blobFileOf(dir, blob.digest)).mtimeMs).toBe(LATER);
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes;
    };
    const again = [
      () => store.blobs.put(bytes),
      () => store.blobs.put(bytes, { digest: blob.digest }),
      () => store.blobs.put(chunks()),
      () => store.blobs.put(chunks(), { digest: blob.digest }),
    ];
    for (const put of again) {
      now += 1000;
      expect((await put()).outcome).toBe('present');
      expect(await putAt()).toEqual([now]);
    }
  });

  it('never keeps a put from keeping the blob, though others delete it at the same time', async () => {
    const dir = newDirectory();
    const [one, other] = [openStore(dir).store, openStore(dir).store];
    const bytes = bytesOf(100);
    for (let round = 0; round < 100; round += 1) {
      const { blob } = await one.blobs.put(bytes);
      const [put] = await Promise.all([other.blobs.put(bytes), one.blobs.delete(blob.digest)]);
      // Either is told the truth: the delete came before the put was through, or after.
      const isThere = (await one.blobs.get(blob.digest)) !== undefined;
      expect(put.outcome === 'present' || isThere).toBe(true);
    }
  });
});
