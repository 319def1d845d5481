import type * as Fs from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { bytesOf, digestOf, KEY, newDirectory, openStore, partsOf, readAll, resultOf } from './place.ts';

// A disk that is full or broken cannot be had in a test, so the system's answers are made up.
const faults = vi.hoisted(() => new Map<string, string>());
/** What somebody else does just before a file is made. */
const meanwhile = vi.hoisted(() => ({ act: undefined as ((file: string) => void) | undefined }));

vi.mock('node:fs', async (original) => {
  const fs = (await original<{ default: typeof Fs }>()).default;
  type Callback = (error: Error | null, bytes?: number) => void;
  /** The fault that is set for a call, if any, instead of the call. */
  const orFault = (name: string, callback: unknown, call: () => void): void => {
    const code = faults.get(name);
    if (code) (callback as Callback)(Object.assign(new Error(`${code}: made up`), { code }));
    else call();
  };
  const faulty: Record<string, (...args: never[]) => void> = {
    open: (file: string, flags: number, mode: number | Callback, done?: Callback) => {
      if (typeof mode === 'function') orFault('open to read', mode, () => fs.open(file, flags, mode));
      else {
        meanwhile.act?.(file);
        orFault('open', done, () => fs.open(file, flags, mode, done as Callback));
      }
    },
    writev: (file: number, pieces: Uint8Array[], done: Callback) => {
      const few = faults.has('short') ? pieces.slice(0, 1).map((piece) => piece.subarray(0, 100)) : pieces;
      orFault('writev', done, () => fs.writev(file, few, done));
    },
    read: (file: number, into: Uint8Array, offset: number, length: number, at: number, done: Callback) => {
      fs.read(file, into, offset, faults.has('short') ? Math.min(length, 1000) : length, at, done);
    },
    fsync: (file: number, done: Callback) => orFault('fsync', done, () => fs.fsync(file, done)),
    rename: (from: string, to: string, done: Callback) => {
      orFault('rename', done, () => fs.rename(from, to, done));
    },
  };
  return { ...fs, ...faulty, default: { ...fs, ...faulty } };
});

beforeEach(() => {
  faults.clear();
  meanwhile.act = undefined;
});

describe('a put on a disk that fails', () => {
  it.each([
    ['open', 'ENOSPC', 'STORE_FULL'],
    ['open', 'EDQUOT', 'STORE_FULL'],
    ['open', 'EROFS', 'STORE_UNREACHABLE'],
    ['open', 'EMFILE', 'STORE_UNREACHABLE'],
    ['writev', 'ENOSPC', 'STORE_FULL'],
    ['writev', 'EDQUOT', 'STORE_FULL'],
    ['writev', 'EIO', 'STORE_UNREACHABLE'],
    ['fsync', 'EIO', 'STORE_UNREACHABLE'],
  ])(
    'rejects when %s gives %s with %s, leaves nothing, and works when the fault is gone',
    async (call, fault, code) => {
      const dir = newDirectory();
      const { store } = openStore(dir, { fsync: true });
      faults.set(call, fault);
      await expect(store.put(KEY, resultOf(10))).rejects.toMatchObject({
        code,
        retryable: true,
        message: expect.stringMatching(new RegExp(`Cannot keep the result ${KEY}.*${dir}.*${fault}`)),
        cause: expect.objectContaining({ code: fault }),
      });
      faults.clear();
      expect(await store.has(KEY)).toBe(false);
      const { default: fs } = await vi.importActual<{ default: typeof Fs }>('node:fs');
      expect(fs.readdirSync(path.join(dir, 'v1', 'tmp'))).toEqual([]);
      expect(await store.put(KEY, resultOf(10))).toBe('stored');
    },
  );
});

describe('a put of a blob on a disk that fails', () => {
  it.each([
    ['open', 'ENOSPC', 'STORE_FULL'],
    ['open', 'EMFILE', 'STORE_UNREACHABLE'],
    ['writev', 'ENOSPC', 'STORE_FULL'],
    ['writev', 'EDQUOT', 'STORE_FULL'],
    ['writev', 'EIO', 'STORE_UNREACHABLE'],
    ['fsync', 'EIO', 'STORE_UNREACHABLE'],
  ])(
    'rejects when %s gives %s with %s, from memory and in chunks, and leaves nothing',
    async (call, fault, code) => {
      const dir = newDirectory();
      const { store } = openStore(dir, { fsync: true });
      const bytes = bytesOf(3_000_000);
      const { default: fs } = await vi.importActual<{ default: typeof Fs }>('node:fs');
      const inChunks = async function* (chunkBytes: number): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.byteLength; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
      };
      for (const source of [bytes, inChunks(10_000), inChunks(300_000)]) {
        faults.set(call, fault);
        await expect(store.blobs.put(source)).rejects.toMatchObject({
          code,
          message: expect.stringMatching(new RegExp(`Cannot keep (the|a) blob.*${dir}.*${fault}`)),
          cause: expect.objectContaining({ code: fault }),
        });
        faults.clear();
        expect(fs.readdirSync(path.join(dir, 'v1', 'tmp'))).toEqual([]);
        expect(await store.blobs.get(digestOf(bytes))).toBeUndefined();
      }
      expect((await store.blobs.put(bytes)).outcome).toBe('stored');
    },
  );
});

it('a blob is kept and given whole although the system writes and reads less than it was asked to', async () => {
  const { store } = openStore(newDirectory());
  faults.set('short', 'yes');
  const { blob } = await store.blobs.put(bytesOf(5000));
  expect(await readAll(blob)).toEqual(bytesOf(5000));
});

it('a damaged result that cannot be put aside is a miss all the same, and told with why', async () => {
  const dir = newDirectory();
  const { store, events } = openStore(dir);
  await store.put(KEY, resultOf(10));
  const { default: fs } = await vi.importActual<{ default: typeof Fs }>('node:fs');
  fs.truncateSync(path.join(dir, 'v1', KEY.slice(0, 2), `${KEY}.result`), 200);
  faults.set('rename', 'EACCES');
  expect(await store.get(KEY)).toBeUndefined();
  expect(events).toMatchObject([{ type: 'store.corrupt', detail: expect.stringContaining('EACCES') }]);
});

it('a result is kept and given whole although the system writes and reads less than it was asked to', async () => {
  const { store } = openStore(newDirectory());
  faults.set('short', 'yes');
  expect(await store.put(KEY, resultOf(300, 5000, 70))).toBe('stored');
  expect(await partsOf(await store.get(KEY))).toEqual(await partsOf(resultOf(300, 5000, 70)));
});

it.each(['EMFILE', 'ENFILE', 'EIO', 'EACCES'])(
  'a result, blob or lease that cannot be opened because of %s is an error and no miss, and is there when that is over',
  async (fault) => {
    const dir = newDirectory();
    const { store, events } = openStore(dir);
    await store.put(KEY, resultOf(10));
    const { blob } = await store.blobs.put(bytesOf(10));
    await store.leases?.acquire(KEY, { holder: 'one', ttlMs: 10_000 });
    faults.set('open to read', fault);
    const unreachable = { code: 'STORE_UNREACHABLE', cause: expect.objectContaining({ code: fault }) };
    await expect(store.get(KEY)).rejects.toMatchObject(unreachable);
    await expect(readAll(blob)).rejects.toMatchObject(unreachable);
    const taken = store.leases?.acquire(KEY, { holder: 'two', ttlMs: 10_000 });
    await expect(taken).rejects.toMatchObject(unreachable);
    faults.clear();
    expect((await store.get(KEY))?.body.byteLength).toBe(10);
    expect(await readAll(blob)).toEqual(bytesOf(10));
    expect(await store.leases?.acquire(KEY, { holder: 'two', ttlMs: 10_000 })).toBeUndefined();
    expect(events).toEqual([]);
  },
);

it.each([
  ['open', 'ENOSPC', 'STORE_FULL'],
  ['open', 'EMFILE', 'STORE_UNREACHABLE'],
  ['open', 'EROFS', 'STORE_UNREACHABLE'],
])(
  'a pin or lease that cannot be made when %s gives %s is %s, and blocks nobody later',
  async (call, fault, code) => {
    const { store } = openStore(newDirectory());
    await store.put(KEY, resultOf(10));
    faults.set(call, fault);
    await expect(store.pin(KEY, true)).rejects.toMatchObject({ code });
    const asked = { holder: 'one', ttlMs: 10_000 };
    await expect(store.leases?.acquire(KEY, asked)).rejects.toMatchObject({ code });
    faults.clear();
    for await (const { pinned } of store.list()) expect(pinned).toBe(false);
    expect(await store.pin(KEY, true)).toBe(true);
    expect(await store.leases?.acquire(KEY, asked)).toBeDefined();
  },
);

it('a lease whose file cannot be written to its end is given up, and blocks nobody', async () => {
  const { store } = openStore(newDirectory());
  faults.set('writev', 'ENOSPC');
  const asked = { holder: 'one', ttlMs: 10_000 };
  await expect(store.leases?.acquire(KEY, asked)).rejects.toMatchObject({ code: 'STORE_FULL' });
  faults.clear();
  expect(await store.leases?.acquire(KEY, asked)).toBeDefined();
});

describe('who is late to take a lease, since it slept after it looked', () => {
  const asked = { holder: 'late', ttlMs: 10_000 };
  // By whose clock what comes up meanwhile is alive.
  const now = (): number => Date.now();
  const alive = JSON.stringify({ holder: 'first', ttlMs: 10_000, id: 'first' });

  it.each([
    ['another took the same number', ['1']],
    ['another took a greater number', ['9']],
  ])('gives way when %s meanwhile, and leaves nothing', async (_, names) => {
    const { default: fs } = await vi.importActual<{ default: typeof Fs }>('node:fs');
    const { store } = openStore(newDirectory(), { now });
    let directory = '';
    meanwhile.act = (file) => {
      directory = path.dirname(file);
      for (const name of names) fs.writeFileSync(path.join(directory, name), alive);
    };
    expect(await store.leases?.acquire(KEY, asked)).toBeUndefined();
    expect(fs.readdirSync(directory)).toEqual(names);
  });

  it('gives way when a new one has a smaller number, since the old ones are gone', async () => {
    const { default: fs } = await vi.importActual<{ default: typeof Fs }>('node:fs');
    const dir = newDirectory();
    const { store } = openStore(dir, { now });
    const directory = path.join(dir, 'v1', 'leases', KEY);
    fs.mkdirSync(directory);
    fs.writeFileSync(path.join(directory, '5'), '');
    const died = now() / 1000 - 600;
    fs.utimesSync(path.join(directory, '5'), died, died);
    meanwhile.act = () => {
      fs.rmSync(path.join(directory, '5'));
      fs.writeFileSync(path.join(directory, '1'), alive);
    };
    expect(await store.leases?.acquire(KEY, asked)).toBeUndefined();
    expect(fs.readdirSync(directory)).toEqual(['1']);
  });

  it('tries again when the directory went meanwhile', async () => {
    const { default: fs } = await vi.importActual<{ default: typeof Fs }>('node:fs');
    const { store } = openStore(newDirectory());
    meanwhile.act = (file) => {
      meanwhile.act = undefined;
      fs.rmdirSync(path.dirname(file));
    };
    const lease = await store.leases?.acquire(KEY, asked);
    expect(await lease?.renew()).toBe(true);
  });
});

describe('a pin', () => {
  it('that is made while the result is deleted goes with it, and is refused', async () => {
    const { default: fs } = await vi.importActual<{ default: typeof Fs }>('node:fs');
    const dir = newDirectory();
    const { store } = openStore(dir);
    await store.put(KEY, resultOf(10));
    const shard = path.join(dir, 'v1', KEY.slice(0, 2));
    meanwhile.act = () => fs.unlinkSync(path.join(shard, `${KEY}.result`));
    expect(await store.pin(KEY, true)).toBe(false);
    expect(fs.readdirSync(shard)).toEqual([]);
  });
});
