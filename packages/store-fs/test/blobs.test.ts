import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { StoredBlob } from '@routine-engine/core/adapter';
import { describe, expect, it } from 'vitest';
import {
  blobFileOf,
  bytesOf,
  digestOf,
  everythingIn,
  newDirectory,
  openFilesIn,
  openStore,
  readAll,
} from './place.ts';

const modeOf = (file: string): string => (fs.statSync(file).mode & 0o777).toString(8);

async function* chunksOf(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}

describe('the file of a blob', () => {
  it('has its bytes and nothing else, is named by its digest, and is for this user only', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir, { fsync: true });
    const bytes = bytesOf(100_000);
    const digest = digestOf(bytes);
    await store.blobs.put(bytes);
    const shard = `v1/blobs/${digest.slice(0, 2)}`;
    const expected = ['v1', 'v1/blobs', shard, `${shard}/${digest}`, 'v1/corrupt', 'v1/leases', 'v1/tmp'];
    expect(everythingIn(dir)).toEqual(expected.toSorted());
    expect(Buffer.compare(fs.readFileSync(blobFileOf(dir, digest)), bytes)).toBe(0);
    expect(modeOf(path.join(dir, shard))).toBe('700');
    expect(modeOf(blobFileOf(dir, digest))).toBe('600');
  });

  it('is of bytes in shared memory as well', async () => {
    const { store } = openStore(newDirectory());
    const bytes = new Uint8Array(new SharedArrayBuffer(5_000_000));
    bytes.set(bytesOf(5_000_000));
    const { blob } = await store.blobs.put(bytes);
    expect(Buffer.compare(await readAll(blob), bytes)).toBe(0);
    expect((await store.blobs.put(chunksOf(bytes, 70_000))).outcome).toBe('present');
  });

  it('is written again when the one that is there is not as long as it must be', async () => {
    const dir = newDirectory();
    const { store, events } = openStore(dir);
    for (const length of [100_000, 3_000_000]) {
      const bytes = bytesOf(length);
      const { blob } = await store.blobs.put(bytes);
      // The other store never put these bytes, so it takes them for new.
      for (const writer of [store, openStore(dir).store]) {
        fs.truncateSync(blobFileOf(dir, blob.digest), length - 1);
        expect((await writer.blobs.put(bytes)).outcome).toBe('stored');
        expect(Buffer.compare(await readAll(blob), bytes)).toBe(0);
      }
      fs.truncateSync(blobFileOf(dir, blob.digest), length - 1);
      expect((await store.blobs.put(chunksOf(bytes, 70_000))).outcome).toBe('stored');
      expect(Buffer.compare(await readAll(blob), bytes)).toBe(0);
      expect(events.at(-1)).toMatchObject({ type: 'store.corrupt', key: blob.digest });
    }
    expect(events).toHaveLength(4);
  });

  it('may be removed while it is read, with all the place', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir, { fsync: true });
    const bytes = bytesOf(5_000_000);
    const { blob } = await store.blobs.put(bytes);
    const read: Uint8Array[] = [];
    for await (const chunk of blob.chunks()) {
      fs.rmSync(path.join(dir, 'v1'), { recursive: true, force: true });
      read.push(Uint8Array.from(chunk));
    }
    expect(Buffer.compare(Buffer.concat(read), bytes)).toBe(0);
    expect(await store.blobs.get(blob.digest)).toBeUndefined();
    expect(await store.blobs.delete(blob.digest)).toBe(false);
    for await (const entry of store.blobs.list()) expect(entry).toBe('nothing');
    expect((await store.blobs.put(bytes)).outcome).toBe('stored');
    expect(Buffer.compare(await readAll(blob), bytes)).toBe(0);
  });

  it('is not listed when its name is none of a blob of that directory', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const { blob } = await store.blobs.put(bytesOf(10));
    const file = blobFileOf(dir, blob.digest);
    const other = blob.digest.startsWith('0') ? 'f' : '0';
    for (const name of ['notes.txt', `${blob.digest}~`, other + blob.digest.slice(1)]) {
      fs.copyFileSync(file, path.join(path.dirname(file), name));
    }
    fs.mkdirSync(path.join(path.dirname(file), blob.digest.slice(0, 63) + other));
    const digests: string[] = [];
    for await (const { digest } of store.blobs.list()) digests.push(digest);
    expect(digests).toEqual([blob.digest]);
    for await (const { key } of store.list()) expect(key).toBe('nothing');
  });
});

describe('a damaged blob is never passed, is put aside and is told', () => {
  const bytes = bytesOf(2_500_000);
  it.each([
    ['its first byte is changed', (file: Buffer) => flipped(file, 0)],
    ['a byte in the middle is changed', (file: Buffer) => flipped(file, 1_048_576)],
    ['its last byte is changed', (file: Buffer) => flipped(file, file.length - 1)],
    ['it is cut', (file: Buffer) => file.subarray(0, 1_048_576)],
    ['it is empty', (file: Buffer) => file.subarray(0, 0)],
    ['something follows it', (file: Buffer) => Buffer.concat([file, Buffer.alloc(1)])],
  ])('when %s', async (_, damage) => {
    const dir = newDirectory();
    const { store, events } = openStore(dir);
    const { blob } = await store.blobs.put(bytes);
    const file = blobFileOf(dir, blob.digest);
    fs.writeFileSync(file, damage(Buffer.from(bytes)));
    const found = await store.blobs.get(blob.digest);
    const isCorrupt = { code: 'CONTENT_CORRUPT', message: expect.stringContaining(file) };
    await expect(readAll(found ?? blob)).rejects.toMatchObject(isCorrupt);
    expect(fs.readdirSync(path.join(dir, 'v1', 'corrupt'))).toEqual([
      expect.stringMatching(new RegExp(`^${blob.digest}\\.`)),
    ]);
    expect(events).toMatchObject([
      { type: 'store.corrupt', store: 'fs', key: blob.digest, at: 42, node: 'client' },
    ]);
    expect(await store.blobs.get(blob.digest)).toBeUndefined();
    await expect(readAll(blob)).rejects.toMatchObject({ code: 'CONTENT_MISSING' });
    expect((await store.blobs.put(bytes)).outcome).toBe('stored');
    expect(openFilesIn(dir)).toBe(0);
  });

  it('when its last chunk is asked for at the latest, so that who stops there has not trusted it', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const { blob } = await store.blobs.put(bytes);
    fs.writeFileSync(blobFileOf(dir, blob.digest), flipped(Buffer.from(bytes), 5));
    let given = 0;
    const read = async (): Promise<void> => {
      for await (const chunk of blob.chunks()) given += chunk.byteLength;
    };
    await expect(read()).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' });
    expect(given).toBeLessThan(bytes.byteLength);
  });

  it('but not when a good one was put in its place since it was looked up', async () => {
    const dir = newDirectory();
    const { store, events } = openStore(dir);
    const { blob } = await store.blobs.put(bytes);
    const file = blobFileOf(dir, blob.digest);
    fs.truncateSync(file, 1000);
    const short = await store.blobs.get(blob.digest);
    fs.writeFileSync(file, bytes);
    await expect(readAll(short ?? blob)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' });
    expect(Buffer.compare(await readAll(blob), bytes)).toBe(0);
    expect(events).toEqual([]);
  });

  it.each([
    ['a symbolic link to a sound blob', (file: string) => fs.symlinkSync(`${file}.elsewhere`, file)],
    ['a directory', (file: string) => fs.mkdirSync(file)],
    ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
  ])('when %s stands in its place, which is not followed', async (_, place) => {
    const dir = newDirectory();
    const { store, events } = openStore(dir);
    const { blob } = await store.blobs.put(bytes);
    const file = blobFileOf(dir, blob.digest);
    fs.renameSync(file, `${file}.elsewhere`);
    place(file);
    await expect(readAll(blob)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' });
    place(file);
    expect(await store.blobs.get(blob.digest)).toBeUndefined();
    place(file);
    expect((await store.blobs.put(bytes)).outcome).toBe('stored');
    expect(events.map(({ type }) => type)).toEqual(['store.corrupt', 'store.corrupt', 'store.corrupt']);
    expect(Buffer.compare(await readAll(blob), bytes)).toBe(0);
    expect(openFilesIn(dir)).toBe(0);
  });
});

describe('putting a blob', () => {
  it('of large bytes that are there writes nothing, once it was put by this store', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const bytes = bytesOf(10_000_000);
    const { blob } = await store.blobs.put(bytes);
    let mostTemporary = 0;
    const put = store.blobs.put(Uint8Array.from(bytes));
    let isOver = false;
    const over = put.finally(() => (isOver = true));
    while (!isOver) {
      mostTemporary = Math.max(mostTemporary, fs.readdirSync(path.join(dir, 'v1', 'tmp')).length);
      await setImmediate();
    }
    await over;
    expect((await put).outcome).toBe('present');
    expect(mostTemporary).toBe(0);
    expect(Buffer.compare(await readAll(blob), bytes)).toBe(0);
  });

  it('tells bytes that differ only in the middle from those that are there', async () => {
    const { store } = openStore(newDirectory());
    const one = bytesOf(3_000_000);
    const two = Uint8Array.from(one);
    two[1_500_000] = (two[1_500_000] ?? 0) ^ 1;
    expect((await store.blobs.put(one)).outcome).toBe('stored');
    const { blob, outcome } = await store.blobs.put(two);
    expect([outcome, blob.digest]).toEqual(['stored', digestOf(two)]);
    expect(Buffer.compare(await readAll(blob), two)).toBe(0);
  });

  it('writes equal bytes once, however many put them at once, and again when who wrote them gave up', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const bytes = bytesOf(30_000_000);
    const digest = digestOf(bytes);
    const controller = new AbortController();
    const given = store.blobs.put(bytes, { digest, signal: controller.signal });
    const ended = Promise.allSettled([given]);
    const others = Array.from({ length: 5 }, () => store.blobs.put(bytes, { digest }));
    const tmp = path.join(dir, 'v1', 'tmp');
    while (fs.readdirSync(tmp).length === 0) await setImmediate();
    expect(fs.readdirSync(tmp)).toHaveLength(1);
    controller.abort(new Error('no longer wanted'));
    expect(await ended).toMatchObject([{ status: 'rejected', reason: { message: 'no longer wanted' } }]);
    const outcomes = (await Promise.all(others)).map(({ outcome }) => outcome);
    expect(outcomes.toSorted()).toEqual(['present', 'present', 'present', 'present', 'stored']);
    expect(fs.readdirSync(tmp)).toEqual([]);
  });

  it('lets other work in while it digests and writes', async () => {
    const { store } = openStore(newDirectory());
    let turns = 0;
    let done = false;
    const turning = (async () => {
      for (; !done; turns += 1) await setImmediate();
    })();
    await store.blobs.put(bytesOf(20_000_000));
    done = true;
    await turning;
    expect(turns).toBeGreaterThan(20);
  });

  it('asks for the next chunk only when the last was written or copied, and holds no more than two pieces', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const tmp = path.join(dir, 'v1', 'tmp');
    const behind: number[] = [];
    let sent = 0;
    const chunks = async function* (chunkBytes: number, count: number): AsyncGenerator<Uint8Array> {
      const memory = new Uint8Array(chunkBytes);
      for (let chunk = 0; chunk < count; chunk += 1) {
        memory.fill(chunk);
        sent += chunkBytes;
        yield memory;
        const [name = ''] = fs.readdirSync(tmp);
        behind.push(sent - fs.statSync(path.join(tmp, name)).size);
      }
    };
    await store.blobs.put(chunks(300_000, 10));
    expect(Math.max(...behind)).toBe(0);
    sent = 0;
    await store.blobs.put(chunks(10_000, 1000));
    expect(Math.max(...behind)).toBeLessThanOrEqual(2 * 1024 * 1024 + 10_000);
  });

  it('refuses chunks that are not what their digest says, and keeps nothing of them', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const digest = digestOf(bytesOf(1000));
    const put = store.blobs.put(chunksOf(bytesOf(1000, 2), 100), { digest });
    await expect(put).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' });
    expect(await store.blobs.get(digest)).toBeUndefined();
    expect(fs.readdirSync(path.join(dir, 'v1', 'tmp'))).toEqual([]);
    expect((await store.blobs.put(bytesOf(1000, 2))).outcome).toBe('stored');
  });

  it('rejects at once when it is aborted while it waits for its turn', async () => {
    const { store } = openStore(newDirectory());
    const controller = new AbortController();
    const before = Array.from({ length: 8 }, (_, at) => store.blobs.put(bytesOf(5_000_000, at)));
    const waiting = store.blobs.put(bytesOf(10), { signal: controller.signal });
    controller.abort(new Error('no longer wanted'));
    const first = await Promise.race([waiting.catch(() => 'aborted'), ...before]);
    expect(first).toBe('aborted');
    await Promise.all(before);
    expect(await store.blobs.get(digestOf(bytesOf(10)))).toBeUndefined();
  });
});

describe('reading a blob into memory', () => {
  const into = async (blob: StoredBlob, target: Uint8Array, signal?: AbortSignal): Promise<Uint8Array> => {
    await blob.readInto?.(target, signal && { signal });
    return target;
  };

  it('fills it with all the bytes, also memory that is shared or lies somewhere in a larger one', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    for (const length of [0, 1, 1_048_576, 2_500_000]) {
      const bytes = bytesOf(length);
      const { blob } = await store.blobs.put(bytes);
      const around = new Uint8Array(length + 20).fill(7);
      await into(blob, around.subarray(9, 9 + length));
      expect(Buffer.compare(around.subarray(9, 9 + length), bytes)).toBe(0);
      expect([around[8], around[9 + length]]).toEqual([7, 7]);
      const shared = await into(blob, new Uint8Array(new SharedArrayBuffer(length)));
      expect(Buffer.compare(shared, bytes)).toBe(0);
    }
    expect(openFilesIn(dir)).toBe(0);
  });

  it('fails when they were changed, are more or fewer than they were, or do not fit', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const bytes = bytesOf(2_500_000);
    for (const damage of [flipped(Buffer.from(bytes), 5), bytes.subarray(1), Buffer.concat([bytes, bytes])]) {
      const { blob } = await store.blobs.put(bytes);
      fs.writeFileSync(blobFileOf(dir, blob.digest), damage);
      await expect(into(blob, new Uint8Array(bytes.byteLength))).rejects.toMatchObject({
        code: 'CONTENT_CORRUPT',
      });
      await expect(into(blob, new Uint8Array(bytes.byteLength))).rejects.toMatchObject({
        code: 'CONTENT_MISSING',
      });
    }
    const { blob } = await store.blobs.put(bytes);
    await expect(into(blob, new Uint8Array(10))).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' });
    expect(Buffer.compare(await readAll(blob), bytes)).toBe(0);
  });

  it('ends with the reason of the signal', async () => {
    const { store } = openStore(newDirectory());
    const bytes = bytesOf(20_000_000);
    const { blob } = await store.blobs.put(bytes);
    const controller = new AbortController();
    const reading = into(blob, new Uint8Array(bytes.byteLength), controller.signal);
    await setImmediate();
    controller.abort(new Error('no longer wanted'));
    await expect(reading).rejects.toThrow('no longer wanted');
  });
});

describe('reading a blob', () => {
  it('leaves no file open, whether it was read to its end, left early or aborted', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const { blob } = await store.blobs.put(bytesOf(3_000_000));
    await readAll(blob);
    expect(openFilesIn(dir)).toBe(0);
    for await (const chunk of blob.chunks()) {
      expect(chunk.byteLength).toBeGreaterThan(0);
      expect(openFilesIn(dir)).toBe(1);
      break;
    }
    expect(openFilesIn(dir)).toBe(0);
    const controller = new AbortController();
    const reading = blob.chunks({ signal: controller.signal })[Symbol.asyncIterator]();
    await reading.next();
    controller.abort(new Error('no longer wanted'));
    await expect(reading.next()).rejects.toThrow('no longer wanted');
    await store.close();
    expect(openFilesIn(dir)).toBe(0);
  });

  it('is ended by close, also for who never asks for the next chunk', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const { blob } = await store.blobs.put(bytesOf(5_000_000));
    const [idle, asking] = [blob.chunks()[Symbol.asyncIterator](), blob.chunks()[Symbol.asyncIterator]()];
    await idle.next();
    await asking.next();
    const asked = asking.next();
    await store.close();
    expect(openFilesIn(dir)).toBe(0);
    await Promise.allSettled([asked]);
    await expect(idle.next()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(readAll(blob)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('fails with what is in the way, and is no missing blob', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const { blob } = await store.blobs.put(bytesOf(10));
    const shard = path.dirname(blobFileOf(dir, blob.digest));
    fs.rmSync(shard, { recursive: true });
    fs.writeFileSync(shard, '');
    const unreachable = {
      code: 'STORE_UNREACHABLE',
      message: expect.stringMatching(`${blob.digest}.*ENOTDIR`),
    };
    await expect(readAll(blob)).rejects.toMatchObject(unreachable);
    await expect(store.blobs.get(blob.digest)).rejects.toMatchObject(unreachable);
    await expect(store.blobs.delete(blob.digest)).rejects.toMatchObject(unreachable);
    await expect(store.blobs.put(bytesOf(10))).rejects.toMatchObject(unreachable);
    expect(fs.readdirSync(path.join(dir, 'v1', 'tmp'))).toEqual([]);
  });
});

function flipped(file: Buffer, at: number): Buffer {
  file.writeUInt8(file.readUInt8(at) ^ 1, at);
  return file;
}
