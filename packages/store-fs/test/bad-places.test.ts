import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, expect, it } from 'vitest';
import {
  blobFileOf,
  bytesOf,
  digestOf,
  everythingIn,
  fileOf,
  KEY,
  newDirectory,
  openStore,
  partsOf,
  readAll,
  resultOf,
} from './place.ts';
import { Agent } from './support/agents.ts';
import { canMount, newFileSystem, setReadOnly } from './support/mounted.ts';

const LEASE = { holder: 'one', ttlMs: 10_000 };

describe.skipIf(!canMount)('a file system that can only be read', () => {
  it('gives what it has, fails what would write, and loses nothing', async () => {
    const dir = newFileSystem('size=20m');
    const settings = { fsync: true, now: () => Date.now() };
    const first = openStore(dir, settings).store;
    await first.put(KEY, resultOf(10));
    await first.pin(KEY, true);
    const { blob } = await first.blobs.put(bytesOf(100));
    const leftover = path.join(dir, 'v1', 'tmp', 'half.tmp');
    fs.writeFileSync(leftover, 'half');
    fs.utimesSync(leftover, 1, 1);
    setReadOnly(dir, true);
    // Also for one that is opened only then.
    for (const { store } of [{ store: first }, openStore(dir, settings)]) {
      expect(await partsOf(await store.get(KEY))).toEqual(await partsOf(resultOf(10)));
      expect(await store.has(KEY)).toBe(true);
      const found = await store.blobs.get(blob.digest);
      expect(found && (await readAll(found))).toEqual(bytesOf(100));
      const entries: boolean[] = [];
      for await (const { pinned } of store.list()) entries.push(pinned);
      expect(entries).toEqual([true]);
      const readOnly = { code: 'STORE_UNREACHABLE', message: expect.stringMatching(/EROFS.*mount/) };
      const other = 'cd'.padEnd(64, '0');
      await expect(store.put(other, resultOf(10))).rejects.toMatchObject(readOnly);
      await expect(store.delete(KEY)).rejects.toMatchObject(readOnly);
      await expect(store.pin(KEY, false)).rejects.toMatchObject(readOnly);
      await expect(store.blobs.put(bytesOf(200))).rejects.toMatchObject(readOnly);
      await expect(store.blobs.put(bytesOf(100))).rejects.toMatchObject(readOnly);
      await expect(store.leases?.acquire(KEY, LEASE)).rejects.toMatchObject(readOnly);
      await expect(store.sweep()).rejects.toMatchObject(readOnly);
      expect(await store.get(other)).toBeUndefined();
    }
    setReadOnly(dir, false);
    expect(await first.sweep()).toEqual({ items: 1, byteLength: 4 });
    expect(await first.delete(KEY)).toBe(true);
  });

  it('makes a miss of a damaged result, and tells why it stays where it is', async () => {
    const dir = newFileSystem('size=20m');
    const { store, events } = openStore(dir);
    await store.put(KEY, resultOf(10));
    fs.truncateSync(fileOf(dir), 100);
    setReadOnly(dir, true);
    expect(await store.get(KEY)).toBeUndefined();
    expect(events).toMatchObject([{ type: 'store.corrupt', detail: expect.stringContaining('EROFS') }]);
    setReadOnly(dir, false);
  });
});

describe.skipIf(!canMount)('a file system that is full', () => {
  const bytes = bytesOf(1_500_000);
  async function* inChunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.byteLength; at += 10_000) yield bytes.subarray(at, at + 10_000);
  }

  it('refuses what does not fit with STORE_FULL, leaves nothing of it, and takes what fits', async () => {
    const dir = newFileSystem('size=1m');
    const { store } = openStore(dir, { fsync: true });
    await store.put(KEY, resultOf(1000));
    const full = { code: 'STORE_FULL', message: expect.stringMatching(/ENOSPC.*make room/) };
    const other = 'ab'.padEnd(64, '1');
    const { metadata } = resultOf(1);
    const body = { byteLength: bytes.byteLength, sizes: [bytes.byteLength], chunks: inChunks };
    await expect(store.put(other, resultOf(1_500_000))).rejects.toMatchObject(full);
    await expect(store.put(other, { metadata, body })).rejects.toMatchObject(full);
    await expect(store.blobs.put(bytes)).rejects.toMatchObject(full);
    await expect(store.blobs.put(inChunks())).rejects.toMatchObject(full);
    expect(fs.readdirSync(path.join(dir, 'v1', 'tmp'))).toEqual([]);
    expect(await store.has(other)).toBe(false);
    expect(await store.blobs.get(digestOf(bytes))).toBeUndefined();
    expect(await store.put(other, resultOf(1000))).toBe('stored');
    expect(await partsOf(await store.get(KEY))).toEqual(await partsOf(resultOf(1000)));
  });

  it('lets results be deleted, so that there is room again, and refuses pins and leases until then', async () => {
    const dir = newFileSystem('size=1m,nr_inodes=12');
    const { store } = openStore(dir);
    await store.put(KEY, resultOf(1000));
    for (let file = 0; ; file += 1) {
      try {
        fs.writeFileSync(path.join(dir, `filler-${file}`), '');
      } catch {
        break;
      }
    }
    await expect(store.pin(KEY, true)).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expect(store.leases?.acquire(KEY, LEASE)).rejects.toMatchObject({ code: 'STORE_FULL' });
    await expect(store.put('ab'.padEnd(64, '1'), resultOf(1))).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect(await store.delete(KEY)).toBe(true);
    // Here a second name of a file counts as a file, and a result has two for a moment.
    fs.unlinkSync(path.join(dir, 'filler-0'));
    expect(await store.put('ab'.padEnd(64, '1'), resultOf(1))).toBe('stored');
  });
});

describe.skipIf(process.getuid === undefined)('a directory that this user may not use', () => {
  // Root may do everything: then somebody else tries.
  const uid = process.getuid?.() === 0 ? { uid: 65_534 } : {};

  it('is an error at once that says so, and nothing in it changes', async () => {
    const dir = path.join(newDirectory(), 'results');
    await openStore(dir).store.put(KEY, resultOf(10));
    const before = everythingIn(dir);
    fs.chmodSync(path.dirname(dir), 0o755);
    fs.chmodSync(dir, 0o000);
    await expect(Agent.open(dir, uid)).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringMatching(/EACCES.*right to read and write/),
    });
    fs.chmodSync(dir, 0o700);
    expect(everythingIn(dir)).toEqual(before);
  });

  it('that can be read but not written gives what it has, and fails what would write', async () => {
    const dir = path.join(newDirectory(), 'results');
    await openStore(dir).store.put(KEY, resultOf(10));
    fs.chmodSync(path.dirname(dir), 0o755);
    const all = ['', ...everythingIn(dir)].map((name) => path.join(dir, name));
    for (const file of all) fs.chmodSync(file, fs.statSync(file).isDirectory() ? 0o555 : 0o444);
    const agent = await Agent.open(dir, uid);
    expect(await agent.ask({ operation: 'has', key: KEY })).toBe(true);
    expect(await agent.ask({ operation: 'list' })).toEqual([{ key: KEY, pinned: false }]);
    const refused = { code: 'STORE_UNREACHABLE', message: expect.stringMatching(/EACCES/) };
    const put = { operation: 'put', key: 'ab'.padEnd(64, '1'), tag: 'a', byteLength: 10 };
    await expect(agent.ask(put)).rejects.toMatchObject(refused);
    await expect(agent.ask({ operation: 'delete', key: KEY })).rejects.toMatchObject(refused);
    await expect(agent.ask({ operation: 'pin', key: KEY, pinned: true })).rejects.toMatchObject(refused);
    await expect(agent.ask({ operation: 'take', key: KEY, ttlMs: 1000 })).rejects.toMatchObject(refused);
    await agent.close();
    for (const file of all) fs.chmodSync(file, 0o700);
  });
});

describe('what somebody else put into the directory', () => {
  it('in place of a result or blob is put aside by a delete, which had nothing to delete', async () => {
    const dir = newDirectory();
    const { store, events } = openStore(dir);
    const digest = digestOf(bytesOf(10));
    for (const file of [fileOf(dir), blobFileOf(dir, digest)]) {
      fs.mkdirSync(path.join(file, 'with', 'more'), { recursive: true });
    }
    expect(await store.delete(KEY)).toBe(false);
    expect(await store.blobs.delete(digest)).toBe(false);
    expect(events.map(({ type }) => type)).toEqual(['store.corrupt', 'store.corrupt']);
    expect(await store.put(KEY, resultOf(10))).toBe('stored');
    expect((await store.blobs.put(bytesOf(10))).outcome).toBe('stored');
  });

  it('in place of a link to a blob is not touched by a put that finds it', async () => {
    const dir = newDirectory();
    const elsewhere = path.join(newDirectory(), 'file');
    const { store } = openStore(dir);
    const bytes = bytesOf(10);
    fs.writeFileSync(elsewhere, bytes);
    fs.utimesSync(elsewhere, 1, 1);
    const file = blobFileOf(dir, digestOf(bytes));
    fs.mkdirSync(path.dirname(file));
    fs.symlinkSync(elsewhere, file);
    expect((await store.blobs.put(bytes)).outcome).toBe('stored');
    expect(fs.statSync(elsewhere).mtimeMs).toBe(1000);
    expect(fs.lstatSync(file).isFile()).toBe(true);
  });

  it('beside results, blobs, pins and leases stays, and is not taken for one of them', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    await store.put(KEY, resultOf(10));
    const foreign = [
      'notes.txt',
      'ab/notes.txt',
      `ab/${KEY}.pinned~`,
      `ab/${'cd'.padEnd(64, '0')}.pinned`,
      'blobs/x',
    ];
    for (const name of [...foreign, 'leases/x', 'tmp/x', 'corrupt/x'])
      fs.writeFileSync(path.join(dir, 'v1', name), '');
    fs.mkdirSync(path.join(dir, 'v1', 'zz'));
    const before = everythingIn(dir);
    const entries: unknown[] = [];
    for await (const { key, pinned } of store.list()) entries.push([key, pinned]);
    for await (const { digest } of store.blobs.list()) entries.push(digest);
    expect(entries).toEqual([[KEY, false]]);
    expect(everythingIn(dir)).toEqual(before);
  });

  it('in place of a directory of results is an error of the list that names it', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    await store.put('cd'.padEnd(64, '0'), resultOf(10));
    fs.writeFileSync(path.join(dir, 'v1', 'ab'), '');
    const listed = (async () => {
      for await (const entry of store.list()) expect(entry.pinned).toBe(false);
    })();
    await expect(listed).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining(path.join(dir, 'v1', 'ab')),
    });
  });
});
