import { createHash } from 'node:crypto';
import fs from 'node:fs';
import type * as FsPromises from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { TempSpool } from '../../src/lifecycle/platform/temp-spool.ts';
import type { StoredBlob } from '../../src/model/stored-blob.ts';

// A full disk cannot be had in a test, so the system's answer is made up.
const faults = vi.hoisted(() => new Map<'open' | 'appendFile', string>());

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof FsPromises>();
  const fault = (call: 'open' | 'appendFile'): void => {
    const code = faults.get(call);
    if (code) throw Object.assign(new Error(`${code}: made up`), { code });
  };
  const open: typeof FsPromises.open = async (...args) => {
    fault('open');
    const handle = await real.open(...args);
    const appendFile = handle.appendFile.bind(handle);
    handle.appendFile = async (...written) => {
      fault('appendFile');
      await appendFile(...written);
    };
    return handle;
  };
  return { ...real, open };
});

beforeEach(() => faults.clear());

v8.setFlagsFromString('--expose-gc');
const collectGarbage = vm.runInNewContext('gc') as () => void;

/** A spool on an empty directory of its own. */
function newSpool(): { spool: TempSpool; dir: string } {
  const dir = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'spool-')));
  const spool = new TempSpool({ dir });
  onTestFinished(async () => {
    await spool.close();
    fs.rmSync(dir, { recursive: true });
  });
  return { spool, dir };
}

function bytesOf(byteLength: number): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, at) => (at * 31 + (at >> 8) * 7) % 251);
}

/** Chunks of those lengths and one with the rest, in memory that is used again for the next one. */
async function* inChunks(bytes: Uint8Array, ...lengths: number[]): AsyncGenerator<Uint8Array> {
  const memory = new Uint8Array(bytes.byteLength);
  let at = 0;
  for (const length of [...lengths, bytes.byteLength]) {
    const taken = bytes.subarray(at, at + length);
    memory.set(taken);
    yield memory.subarray(0, taken.byteLength);
    memory.fill(0);
    at += taken.byteLength;
  }
}

async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const chunk of chunks) read.push(Uint8Array.from(chunk));
  return Buffer.concat(read);
}

/** The open files of this process that are, or were, under a directory, as paths that lead to them. */
function openFilesIn(dir: string): string[] {
  const files = fs.readdirSync('/proc/self/fd').map((file) => path.join('/proc/self/fd', file));
  return files.filter((file) => {
    try {
      return fs.readlinkSync(file).startsWith(dir);
    } catch {
      // That of the listing itself is closed by now.
      return false;
    }
  });
}

/** Collects garbage until no file of that directory is open, or for so many turns that none will be closed any more. */
async function openAfterCollection(dir: string): Promise<number> {
  for (let turn = 0; turn < 200 && openFilesIn(dir).length > 0; turn += 1) {
    collectGarbage();
    await setImmediate();
  }
  return openFilesIn(dir).length;
}

describe('the temporary spool', () => {
  it.each([
    ['nothing', 0, []],
    ['one byte', 1, []],
    ['tiny and empty chunks', 1000, [0, 1, 2, 3, 0, 100]],
    ['chunks that are gathered', 1_500_000, Array.from({ length: 300 }, () => 4999)],
    ['chunks of all sizes', 3_000_001, [262_144, 1, 262_143, 262_145, 100_000, 200_000, 1_000_000]],
  ])('gives back %s as it was put', async (_, byteLength, lengths) => {
    const { spool } = newSpool();
    const bytes = bytesOf(byteLength);
    const blob = await spool.put(inChunks(bytes, ...lengths));
    expect(blob.byteLength).toBe(byteLength);
    expect(blob.digest).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(Buffer.compare(await readAll(blob.chunks()), bytes)).toBe(0);
  });

  it('lets any number read at once, and again', async () => {
    const { spool } = newSpool();
    const bytes = bytesOf(1_000_000);
    const blob = await spool.put(inChunks(bytes));
    const all = await Promise.all([1, 2, 3].map(() => readAll(blob.chunks())));
    for (const read of [...all, await readAll(blob.chunks())]) expect(Buffer.compare(read, bytes)).toBe(0);
  });

  it('leaves no name behind that outlasts the process, and lets nobody else read', async () => {
    const { spool, dir } = newSpool();
    const source = (async function* () {
      yield bytesOf(1_000_000);
      expect(fs.readdirSync(dir)).toEqual([]);
      const [file = '', ...others] = openFilesIn(dir);
      expect(others).toEqual([]);
      expect((fs.statSync(file).mode & 0o777).toString(8)).toBe('600');
    })();
    await spool.put(source);
    expect(fs.readdirSync(dir)).toEqual([]);
  });

  it('passes on why a source failed, and keeps nothing of it', async () => {
    const { spool, dir } = newSpool();
    const failing = (async function* () {
      yield bytesOf(1_000_000);
      throw new Error('the source is gone');
    })();
    await expect(spool.put(failing)).rejects.toThrow('the source is gone');
    expect(openFilesIn(dir)).toEqual([]);
  });

  it('gives up a put that is aborted while its source does not go on, and keeps nothing of it', async () => {
    const { spool, dir } = newSpool();
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    let begun!: () => void;
    const waits = new Promise<void>((resolve) => (begun = resolve));
    const stalled = (async function* () {
      yield bytesOf(1_000_000);
      begun();
      await new Promise(() => {});
    })();
    const put = spool.put(stalled, { signal: controller.signal });
    await waits;
    controller.abort(reason);
    await expect(put).rejects.toBe(reason);
    expect(openFilesIn(dir)).toEqual([]);
    await expect(spool.put(inChunks(bytesOf(1)), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('ends reading with the reason of the signal', async () => {
    const { spool } = newSpool();
    const blob = await spool.put(inChunks(bytesOf(1_000_000)));
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const reading = blob.chunks({ signal: controller.signal })[Symbol.asyncIterator]();
    await reading.next();
    controller.abort(reason);
    await expect(reading.next()).rejects.toBe(reason);
    expect(await readAll(blob.chunks())).toHaveLength(1_000_000);
  });

  it('closes the file of a blob that nobody holds any more', async () => {
    const { spool, dir } = newSpool();
    // In a function of its own, so that no variable of this one holds the blob.
    const readAndForget = async (): Promise<number> => {
      const blob = await spool.put(inChunks(bytesOf(1000)));
      return (await readAll(blob.chunks())).length;
    };
    expect(await readAndForget()).toBe(1000);
    expect(await openAfterCollection(dir)).toBe(0);
  });

  it('keeps the file of a blob that somebody only reads', async () => {
    const { spool, dir } = newSpool();
    const bytes = bytesOf(1_000_000);
    const readOn = await (async () => {
      const blob = await spool.put(inChunks(bytes));
      const reading = blob.chunks()[Symbol.asyncIterator]();
      const first = Uint8Array.from((await reading.next()).value as Uint8Array);
      return { first, rest: { [Symbol.asyncIterator]: () => reading } };
    })();
    expect(await openAfterCollection(dir)).toBe(1);
    const read = Buffer.concat([readOn.first, await readAll(readOn.rest)]);
    expect(Buffer.compare(read, bytes)).toBe(0);
  });

  it('never passes changed bytes', async () => {
    const { spool, dir } = newSpool();
    const blob = await spool.put(inChunks(bytesOf(1_000_000)));
    const [file = ''] = openFilesIn(dir);
    const opened = fs.openSync(file, 'r+');
    fs.writeSync(opened, new Uint8Array([255]), 0, 1, 700_000);
    await expect(readAll(blob.chunks())).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' });
    fs.ftruncateSync(opened, 500_000);
    fs.closeSync(opened);
    await expect(readAll(blob.chunks())).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' });
  });
});

describe('a temporary spool that closes', () => {
  it('gives nothing back any more, also to who is reading', async () => {
    const { spool, dir } = newSpool();
    const blobs: StoredBlob[] = [];
    for (const byteLength of [0, 10, 1_000_000]) blobs.push(await spool.put(inChunks(bytesOf(byteLength))));
    const reading = blobs[2]?.chunks()[Symbol.asyncIterator]();
    await reading?.next();
    await Promise.all([spool.close(), spool.close()]);
    await expect(reading?.next()).rejects.toMatchObject({ code: 'CONTENT_MISSING' });
    for (const blob of blobs) {
      await expect(readAll(blob.chunks())).rejects.toMatchObject({ code: 'CONTENT_MISSING' });
    }
    expect(openFilesIn(dir)).toEqual([]);
  });

  it('ends what is being put, and takes nothing more', async () => {
    const { spool, dir } = newSpool();
    const stalled = (async function* () {
      yield bytesOf(10);
      await new Promise(() => {});
    })();
    const put = spool.put(stalled);
    const [ended] = await Promise.allSettled([put, spool.close()]);
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'STORE_CLOSED' } });
    expect(openFilesIn(dir)).toEqual([]);
    await expect(spool.put(inChunks(bytesOf(10)))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});

describe('a temporary spool on a disk that fails', () => {
  it.each([
    ['open', 'EMFILE', 'STORE_UNREACHABLE'],
    ['open', 'ENOSPC', 'STORE_FULL'],
    ['appendFile', 'ENOSPC', 'STORE_FULL'],
    ['appendFile', 'EDQUOT', 'STORE_FULL'],
    ['appendFile', 'EIO', 'STORE_UNREACHABLE'],
  ] as const)('rejects a put when %s gives %s with %s, and leaves nothing', async (call, fault, code) => {
    const { spool, dir } = newSpool();
    faults.set(call, fault);
    await expect(spool.put(inChunks(bytesOf(1_000_000)))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(new RegExp(`${dir}.*${fault}`)),
      cause: expect.objectContaining({ code: fault }),
    });
    expect(openFilesIn(dir)).toEqual([]);
    expect(fs.readdirSync(dir)).toEqual([]);
    faults.clear();
    expect((await spool.put(inChunks(bytesOf(10)))).byteLength).toBe(10);
  });

  it('names a directory that is not there', async () => {
    const { dir } = newSpool();
    const spool = new TempSpool({ dir: path.join(dir, 'nowhere') });
    await expect(spool.put(inChunks(bytesOf(10)))).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining(path.join(dir, 'nowhere')),
    });
  });
});
