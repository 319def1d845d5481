import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { type BlobPart, bodyOf, type ResultInput } from '@routine-engine/core/adapter';
import { describe, expect, it } from 'vitest';
import { FsStore } from '../src/fs-store.ts';
import { everythingIn, fileOf, KEY, METADATA, newDirectory, openStore, partsOf, resultOf } from './place.ts';

const modeOf = (file: string): string => (fs.statSync(file).mode & 0o777).toString(8);

describe('the directory of a store', () => {
  it('is made, with everything above it, for this user only', async () => {
    const dir = path.join(newDirectory(), 'a', 'b');
    const { store } = openStore(dir, { fsync: true });
    await store.put(KEY, resultOf(10));
    expect(everythingIn(dir)).toEqual(
      ['v1', 'v1/ab', `v1/ab/${KEY}.result`, 'v1/blobs', 'v1/corrupt', 'v1/leases', 'v1/tmp'].toSorted(),
    );
    for (const directory of ['', 'v1', 'v1/ab', 'v1/blobs', 'v1/corrupt', 'v1/leases', 'v1/tmp']) {
      expect(modeOf(path.join(dir, directory))).toBe('700');
    }
    expect(modeOf(fileOf(dir))).toBe('600');
  });

  it('is named in the identity as it really is', () => {
    const dir = newDirectory();
    fs.mkdirSync(path.join(dir, 'real'));
    fs.symlinkSync('real', path.join(dir, 'link'));
    expect(openStore(path.join(dir, 'link')).store.identity).toBe(`fs:${dir}/real`);
  });

  it('keeps nothing in tmp, whatever became of the puts', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    await store.put(KEY, resultOf(10));
    await store.put(KEY, resultOf(10));
    const failing = {
      metadata: METADATA,
      body: {
        byteLength: 10,
        sizes: [10],
        async *chunks() {
          yield new Uint8Array(5);
          throw new Error('the source is gone');
        },
      },
    };
    await expect(store.put('cd'.padEnd(64, '0'), failing)).rejects.toThrow('the source is gone');
    expect(fs.readdirSync(path.join(dir, 'v1', 'tmp'))).toEqual([]);
  });

  it('may be emptied while the store is in use', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir, { fsync: true });
    await store.put(KEY, resultOf(10));
    fs.rmSync(path.join(dir, 'v1'), { recursive: true });
    expect(await store.get(KEY)).toBeUndefined();
    expect(await store.has(KEY)).toBe(false);
    expect(await store.delete(KEY)).toBe(false);
    for await (const entry of store.list()) expect(entry).toBe('nothing');
    expect(await store.put(KEY, resultOf(20))).toBe('stored');
    expect(await partsOf(await store.get(KEY))).toEqual(await partsOf(resultOf(20)));
  });

  it('may lose its corrupt results while the store is in use', async () => {
    const dir = newDirectory();
    const { store, events } = openStore(dir);
    await store.put(KEY, resultOf(10));
    fs.truncateSync(fileOf(dir), 100);
    fs.rmdirSync(path.join(dir, 'v1', 'corrupt'));
    expect(await store.get(KEY)).toBeUndefined();
    expect(events.map(({ type }) => type)).toEqual(['store.corrupt']);
    expect(await store.put(KEY, resultOf(10))).toBe('stored');
  });
});

describe('what stands in place of a result', () => {
  it.each([
    ['a symbolic link to a sound result', (file: string) => fs.symlinkSync(`${file}.elsewhere`, file)],
    ['a symbolic link to nothing', (file: string) => fs.symlinkSync('/nowhere/at/all', file)],
    ['a directory', (file: string) => fs.mkdirSync(file)],
    ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
  ])('is never followed or read, but put aside: %s', async (_, place) => {
    const dir = newDirectory();
    const { store, events } = openStore(dir);
    const file = fileOf(dir);
    await store.put(KEY, resultOf(10));
    fs.renameSync(file, `${file}.elsewhere`);
    place(file);
    expect(await store.has(KEY)).toBe(false);
    expect(await store.get(KEY)).toBeUndefined();
    expect(events).toMatchObject([{ type: 'store.corrupt', key: KEY }]);
    place(file);
    expect(await store.put(KEY, resultOf(20))).toBe('stored');
    expect(events).toMatchObject([{ type: 'store.corrupt' }, { type: 'store.corrupt', key: KEY }]);
    expect(await partsOf(await store.get(KEY))).toEqual(await partsOf(resultOf(20)));
    expect(fs.readdirSync(path.join(dir, 'v1', 'corrupt'))).toHaveLength(2);
    expect(fs.existsSync(`${file}.elsewhere`)).toBe(true);
  });

  it('is not listed when its name is none of a result', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    await store.put(KEY, resultOf(10));
    const shard = path.dirname(fileOf(dir));
    for (const name of ['notes.txt', `${'cd'.padEnd(64, '0')}.result`, `${KEY}.result~`]) {
      fs.copyFileSync(fileOf(dir), path.join(shard, name));
    }
    fs.writeFileSync(path.join(dir, 'v1', 'zz'), '');
    const keys: string[] = [];
    for await (const { key } of store.list()) keys.push(key);
    expect(keys).toEqual([KEY]);
  });
});

describe('a directory that cannot be used', () => {
  it('is refused at once when a file stands in its place', () => {
    const dir = path.join(newDirectory(), 'results');
    fs.writeFileSync(dir, '');
    expect(() => new FsStore({ dir, fsync: true, now: () => 0, node: 'client' })).toThrow(
      expect.objectContaining({ code: 'STORE_UNREACHABLE', message: expect.stringContaining(dir) }),
    );
  });

  it.each(['v1', 'v1/blobs', 'v1/leases', 'v1/tmp', 'v1/corrupt'])(
    'is refused at once when %s is a link or a file',
    (name) => {
      const dir = newDirectory();
      fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
      fs.symlinkSync('/tmp', path.join(dir, name));
      const open = (): FsStore => new FsStore({ dir, fsync: true, now: () => 0, node: 'client' });
      expect(open).toThrow(expect.objectContaining({ code: 'STORE_UNREACHABLE' }));
      fs.unlinkSync(path.join(dir, name));
      fs.writeFileSync(path.join(dir, name), '');
      expect(open).toThrow(expect.objectContaining({ code: 'STORE_UNREACHABLE' }));
    },
  );

  it('fails each call with what is in the way and what to do, and is no miss', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const shard = path.dirname(fileOf(dir));
    fs.writeFileSync(shard, '');
    const unreachable = {
      code: 'STORE_UNREACHABLE',
      retryable: true,
      message: expect.stringMatching(new RegExp(`${KEY} at ${dir}.*ENOTDIR.*move away`)),
      cause: expect.objectContaining({ code: 'ENOTDIR' }),
    };
    await expect(store.get(KEY)).rejects.toMatchObject(unreachable);
    await expect(store.has(KEY)).rejects.toMatchObject(unreachable);
    await expect(store.delete(KEY)).rejects.toMatchObject(unreachable);
    await expect(store.put(KEY, resultOf(10))).rejects.toMatchObject(unreachable);
    expect(fs.readdirSync(path.join(dir, 'v1', 'tmp'))).toEqual([]);
    fs.unlinkSync(shard);
    expect(await store.put(KEY, resultOf(10))).toBe('stored');
  });

  it('fails a put whose shard is a link that leads out of it', async () => {
    const dir = newDirectory();
    const outside = newDirectory();
    const { store } = openStore(dir);
    fs.symlinkSync(outside, path.dirname(fileOf(dir)));
    await expect(store.put(KEY, resultOf(10))).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    expect(everythingIn(outside)).toEqual([]);
  });
});

describe('the memory of a result', () => {
  it.each([
    ['small', [5, 16, 0, 1, 24]],
    ['large', [5, 16, 0, 2_000_001, 1, 24, 1_100_000]],
  ])('lets typed arrays be views of every part of a %s one', async (_, sizes) => {
    const { store } = openStore(newDirectory());
    await store.put(KEY, resultOf(...sizes));
    const parts = await partsOf(await store.get(KEY));
    expect(parts?.map((part) => part.byteLength)).toEqual(sizes);
    for (const part of parts ?? []) {
      expect(part.byteOffset % 8).toBe(0);
      expect(part.constructor).toBe(Uint8Array);
    }
    const expected = Buffer.concat((await partsOf(resultOf(...sizes))) ?? []);
    expect(Buffer.compare(Buffer.concat(parts ?? []), expected)).toBe(0);
  });

  it('is right whether its file is a little shorter, just as long or longer than what is read at once', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const fileBytes: number[] = [];
    for (let size = 15_000; size < 17_000; size += 8) {
      const key = size.toString(16).padStart(64, '0');
      await store.put(key, resultOf(size));
      const [part] = (await partsOf(await store.get(key))) ?? [];
      expect(part).toEqual((await partsOf(resultOf(size)))?.[0]);
      fileBytes.push(fs.statSync(fileOf(dir, key)).size);
    }
    expect(fileBytes).toContain(16 * 1024);
  });

  it('is of no other result', async () => {
    const { store } = openStore(newDirectory());
    await store.put(KEY, resultOf(10));
    const [first] = (await partsOf(await store.get(KEY))) ?? [];
    const [second] = (await partsOf(await store.get(KEY))) ?? [];
    expect(first?.buffer).not.toBe(second?.buffer);
    expect(first?.buffer.byteLength).toBeLessThan(1000);
  });

  it('of a large part is its own', async () => {
    const { store } = openStore(newDirectory());
    await store.put(KEY, resultOf(100, 2_000_000, 100));
    const parts = await partsOf(await store.get(KEY));
    expect(parts?.[1]?.buffer.byteLength).toBe(2_000_000);
    expect(parts?.[0]?.buffer).not.toBe(parts?.[1]?.buffer);
  });
});

const INPUT: ResultInput = { key: KEY, store: 'fs:/var/results', routineId: 'tname:news:load:0.0.1' };
const blobAt = (part: number): BlobPart => ({ part, digest: KEY, byteLength: 1 });

describe('a put', () => {
  it.each([
    ['metadata without a run id', { ...METADATA, runId: undefined as unknown as string }],
    ['a time that is no number', { ...METADATA, createdAt: Number.NaN }],
    ['more than 8 MiB of metadata', { ...METADATA, routineId: 'x'.repeat(8 * 1024 * 1024) }],
    ['a hash of the source that is none', { ...METADATA, sourceHash: 'abc' }],
    ['a caller that is no text', { ...METADATA, parentRunId: 5 as unknown as string }],
    ['a worker that is no text', { ...METADATA, worker: null as unknown as string }],
    ['an input without a store', { ...METADATA, inputs: [{ key: KEY, routineId: 'r' } as ResultInput] }],
    ['an input whose key is none', { ...METADATA, inputs: [{ ...INPUT, key: '../x' }] }],
    ['more than 1,000 inputs', { ...METADATA, inputs: Array.from({ length: 1001 }, () => INPUT) }],
    ['an outline of half a pair', { ...METADATA, outline: ['args[0]'] }],
    ['an outline of more than 200 pairs', { ...METADATA, outline: Array.from({ length: 402 }, () => 'a') }],
    ['an outline with a long text', { ...METADATA, outline: ['a'.repeat(501), '0'] }],
    ['a blob that has no digest', { ...METADATA, blobs: [{ part: 0, digest: 'ab', byteLength: 1 }] }],
    ['a blob of a part that it has not', { ...METADATA, blobs: [blobAt(1)] }],
    ['a blob of a part that has bytes', { ...METADATA, blobs: [blobAt(0)] }],
    ['as many streams as parts', { ...METADATA, streams: 1 }],
    ['a node that is no base64', { ...METADATA, node: 'no node' }],
    ['a node of more than 4,096 bytes', { ...METADATA, node: 'A'.repeat(5_501) }],
  ])('is refused with %s', async (_, metadata) => {
    const { store } = openStore(newDirectory());
    const put = store.put(KEY, { metadata, body: resultOf(10).body });
    await expect(put).rejects.toMatchObject({ code: 'BYTES_MALFORMED' });
    expect(await store.has(KEY)).toBe(false);
  });

  it('is refused when the parts or sizes of its body are not what it says', async () => {
    const { store } = openStore(newDirectory());
    const { body } = resultOf(10, 20);
    for (const wrong of [
      { sizes: [20, 10] },
      { sizes: [30] },
      { sizes: [10, 21] },
      { byteLength: 31 },
      { sizes: [] },
    ]) {
      const put = store.put(KEY, { metadata: METADATA, body: { ...body, ...wrong } });
      await expect(put).rejects.toMatchObject({ code: 'BYTES_MALFORMED' });
    }
    expect(await store.has(KEY)).toBe(false);
  });

  it('keeps a result whose every part is elsewhere, as many as there may be', async () => {
    const { store } = openStore(newDirectory());
    const blobs = Array.from({ length: 32_768 }, (_, part) => blobAt(part));
    const body = resultOf(...blobs.map(() => 0)).body;
    await store.put(KEY, { metadata: { ...METADATA, blobs }, body });
    expect((await store.get(KEY))?.metadata.blobs).toEqual(blobs);
    const more = resultOf(...blobs.map(() => 0), 0).body;
    const put = store.put('cd'.padEnd(64, '0'), {
      metadata: { ...METADATA, blobs: [...blobs, blobAt(32_768)] },
      body: more,
    });
    await expect(put).rejects.toMatchObject({ code: 'BYTES_MALFORMED' });
  });

  it('keeps the most of everything that metadata may hold', async () => {
    const { store } = openStore(newDirectory());
    const blobs = Array.from({ length: 32_768 }, (_, part) => ({ ...blobAt(part), byteLength: 2 ** 40 }));
    const metadata = {
      ...METADATA,
      sourceHash: KEY,
      parentRunId: 'run-0',
      worker: 'worker-\ud800\u{1f600}',
      inputs: Array.from({ length: 1000 }, () => ({ ...INPUT, store: `fs:/${'d'.repeat(500)}` })),
      outline: Array.from({ length: 400 }, (_, at) => (at % 2 ? '0123456789abcdef' : '\u20ac'.repeat(500))),
      blobs,
      node: 'A'.repeat(5_500),
    };
    await store.put(KEY, { metadata, body: resultOf(...blobs.map(() => 0)).body });
    expect((await store.get(KEY))?.metadata).toEqual(metadata);
    for await (const entry of store.list()) expect(entry.metadata).toEqual(metadata);
  });

  it('asks for the next chunk only when the last was written', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const tmp = path.join(dir, 'v1', 'tmp');
    const chunk = 300_000;
    const written: number[] = [];
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      for (let sent = 0; sent < 5; sent += 1) {
        yield new Uint8Array(chunk);
        const [name = ''] = fs.readdirSync(tmp);
        written.push(fs.statSync(path.join(tmp, name)).size);
      }
    };
    await store.put(KEY, { metadata: METADATA, body: { byteLength: 5 * chunk, sizes: [5 * chunk], chunks } });
    for (const [at, bytes] of written.entries()) expect(bytes).toBeGreaterThanOrEqual((at + 1) * chunk);
  });

  it('of more results at once than files may be open ends well', async () => {
    const { store } = openStore(newDirectory());
    const keys = Array.from({ length: 1500 }, (_, at) => at.toString(16).padStart(64, '0'));
    const outcomes = await Promise.all(keys.map((key) => store.put(key, resultOf(10))));
    expect(new Set(outcomes)).toEqual(new Set(['stored']));
    const found = await Promise.all(keys.map((key) => store.get(key)));
    expect(found.every((result) => result?.body.byteLength === 10)).toBe(true);
  });

  it('writes an empty body as one empty part', async () => {
    const { store } = openStore(newDirectory());
    await store.put(KEY, { metadata: METADATA, body: bodyOf({ head: new Uint8Array(0), buffers: [] }) });
    expect((await store.get(KEY))?.body.sizes).toEqual([0]);
  });
});
