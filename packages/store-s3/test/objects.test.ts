import { S3Client } from '@aws-sdk/client-s3';
import { bodyOf } from '@routine-engine/core/adapter';
import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  CREDENTIALS,
  digestOf,
  flipped,
  inChunks,
  KEY,
  METADATA,
  namesIn,
  openStore,
  digestsOf,
  readDigest,
  readIntoDigest,
  resultOf,
  startServer,
  streamed,
} from './place.ts';
import type { S3Double } from './s3-double.ts';

const LARGE = 400_000;

const requestsOf = (server: S3Double): string[] =>
  server.requests.splice(0).map(({ method, name }) => `${method} ${name.replace(/data\/.*/, 'data')}`);

describe('a result', () => {
  it('that is small is one object, put and read with one request', async () => {
    const server = await startServer();
    const { store } = openStore(server, { prefix: 'news' });
    await store.put(KEY, resultOf(10, 200_000));
    expect(requestsOf(server)).toEqual([`PUT news/results/${KEY}`]);
    await store.get(KEY);
    expect(requestsOf(server)).toEqual([`GET news/results/${KEY}`]);
    await store.get('cd'.padEnd(64, '0'));
    expect(server.requests).toHaveLength(1);
    expect(namesIn(server)).toEqual([`news/results/${KEY}`]);
  });

  it('that is large has its bytes in an object of its own, which goes with it', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    await store.put(KEY, resultOf(10, LARGE));
    expect(requestsOf(server)).toEqual([`GET results/${KEY}`, 'PUT data', `PUT results/${KEY}`]);
    await store.get(KEY);
    expect(requestsOf(server)).toEqual([`GET results/${KEY}`, 'GET data']);
    expect(namesIn(server, 'data/')).toHaveLength(1);
    expect(await store.delete(KEY)).toBe(true);
    expect(namesIn(server)).toEqual([]);
  });

  it('that comes in chunks is never more than a few parts in one request', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    const result = resultOf(10, 23_000_000);
    expect(await store.put(KEY, streamed(result))).toBe('stored');
    const parts = server.requests.filter(({ query }) => query.has('partNumber'));
    expect(parts).toHaveLength(5);
    expect(await digestsOf(await store.get(KEY))).toEqual(await digestsOf(result));
  });

  it('that lost against another leaves none of its bytes', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    const puts = Array.from({ length: 4 }, () => store.put(KEY, resultOf(10, LARGE)));
    expect((await Promise.all(puts)).toSorted()).toEqual(['present', 'present', 'present', 'stored']);
    await store.close();
    expect(namesIn(server, 'data/')).toHaveLength(1);
  });

  it('has parts that typed arrays of any kind can be views of', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    for (const sizes of [
      [3, 16, 1, 8],
      [3, LARGE, 16, 2_000_000, 8],
    ]) {
      await store.delete(KEY);
      await store.put(KEY, resultOf(...sizes));
      const found = await store.get(KEY);
      const offsets = found?.body.parts?.map(({ byteOffset }) => byteOffset % 8);
      expect(offsets).toEqual(sizes.map(() => 0));
      expect(await digestsOf(found)).toEqual(await digestsOf(resultOf(...sizes)));
    }
  });

  it('carries everything that its metadata say', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    const blobs = [{ part: 1, digest: 'c'.repeat(64), byteLength: 5 }];
    const metadata = { ...METADATA, blobs, streams: 1, node: 'AAEC' };
    const body = bodyOf({ head: bytesOf(3), buffers: [bytesOf(0)] });
    await store.put(KEY, { metadata, body });
    expect((await store.get(KEY))?.metadata).toEqual(metadata);
    const wrong = { ...metadata, blobs: [{ part: 0, digest: 'c'.repeat(64), byteLength: 5 }] };
    await expect(store.put(KEY, { metadata: wrong, body })).rejects.toMatchObject({
      code: 'BYTES_MALFORMED',
    });
  });

  it('can be pinned as long as it is there', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    expect(await store.pin(KEY, true)).toBe(false);
    await store.put(KEY, resultOf(10));
    await store.put('cd'.padEnd(64, '0'), resultOf(10));
    const pinned = async (): Promise<string[]> => {
      const keys: string[] = [];
      for await (const entry of store.list()) if (entry.pinned) keys.push(entry.key);
      return keys;
    };
    expect(await pinned()).toEqual([]);
    expect(await store.pin(KEY, true)).toBe(true);
    expect(await pinned()).toEqual([KEY]);
    expect(await store.pin(KEY, false)).toBe(true);
    expect(await pinned()).toEqual([]);
    await store.pin(KEY, true);
    await store.delete(KEY);
    expect(namesIn(server, 'pins/')).toEqual([]);
  });
});

describe('a blob that is read into memory', () => {
  it('fills it with all the bytes, also memory that is shared or lies somewhere in a larger one', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    for (const size of [0, 10, LARGE, 2_500_000]) {
      const { blob } = await store.blobs.put(bytesOf(size));
      for (const found of [blob, await store.blobs.get(blob.digest)]) {
        const around = new Uint8Array(size + 20).fill(7);
        expect(await readIntoDigest(found, around.subarray(9, 9 + size))).toBe(blob.digest);
        expect([around[8], around[9 + size]]).toEqual([7, 7]);
        const shared = new Uint8Array(new SharedArrayBuffer(size));
        expect(await readIntoDigest(found, shared)).toBe(blob.digest);
      }
    }
  });

  it('fails when it does not fit, when it is damaged, and when it is gone', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    const { blob } = await store.blobs.put(bytesOf(LARGE));
    const corrupt = { code: 'CONTENT_CORRUPT' };
    await expect(readIntoDigest(blob, new Uint8Array(10))).rejects.toMatchObject(corrupt);
    const [name = ''] = namesIn(server, 'data/');
    server.set(name, flipped(server.objects.get(name)?.body ?? Buffer.alloc(0), 300_000));
    await expect(readIntoDigest(blob)).rejects.toMatchObject(corrupt);
    await expect(readIntoDigest(blob)).rejects.toMatchObject({ code: 'CONTENT_MISSING' });
  });

  it('rejects at once with the reason of its signal', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    const { blob } = await store.blobs.put(bytesOf(LARGE));
    const controller = new AbortController();
    server.interfere = ({ method }) => {
      if (method === 'GET') controller.abort(new Error('no longer wanted'));
      return undefined;
    };
    const reading = blob.readInto?.(new Uint8Array(LARGE), { signal: controller.signal });
    await expect(reading).rejects.toThrow('no longer wanted');
  });
});

describe('a blob', () => {
  it('whose digest is known at its end is not copied', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    const bytes = bytesOf(LARGE);
    await store.blobs.put(inChunks(bytes));
    expect(requestsOf(server)).toEqual(['PUT data', `PUT blobs/${digestOf(bytes)}`]);
  });

  it('is looked up with one request, and read with one', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    const bytes = bytesOf(LARGE);
    const digest = digestOf(bytes);
    await store.blobs.put(bytes);
    requestsOf(server);
    const blob = await store.blobs.get(digest);
    expect(requestsOf(server)).toEqual([`GET blobs/${digest}`]);
    await readDigest(blob);
    expect(requestsOf(server)).toEqual(['GET data']);
  });

  it('that is put again counts as put then, by the clock of this machine, and is not uploaded again', async () => {
    const server = await startServer();
    let now = 1_800_000_000_000;
    const { store } = openStore(server, { now: () => now });
    const putAts = async (): Promise<number[]> => {
      const times: number[] = [];
      for await (const { putAt } of store.blobs.list()) times.push(putAt);
      return times;
    };
    for (const size of [10, LARGE]) await store.blobs.put(bytesOf(size));
    const [first = 0, second = 0] = await putAts();
    expect(Math.abs(first - now)).toBeLessThan(60_000);
    server.aheadMs += 100_000;
    now += 100_000;
    server.requests.length = 0;
    for (const size of [10, LARGE]) {
      expect((await store.blobs.put(bytesOf(size))).outcome).toBe('present');
      expect((await store.blobs.put(inChunks(bytesOf(size)))).outcome).toBe('present');
      const digest = digestOf(bytesOf(size));
      expect((await store.blobs.put(inChunks(bytesOf(size)), { digest })).outcome).toBe('present');
    }
    const [third = 0, fourth = 0] = await putAts();
    expect(Math.min(third, fourth)).toBeGreaterThan(Math.max(first, second) + 90_000);
    // Only of the chunks whose digest was not known.
    expect(
      server.requests.filter(({ method, name }) => method === 'PUT' && name.startsWith('data/')),
    ).toHaveLength(1);
    await store.close();
    expect(namesIn(server, 'data/')).toHaveLength(1);
  });

  it('that is removed while it is put again is kept anew', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    const bytes = bytesOf(LARGE);
    await store.blobs.put(bytes);
    server.aheadMs += 5_000;
    server.interfere = ({ method, name }) => {
      if (method === 'PUT' && name.startsWith('blobs/')) {
        for (const each of namesIn(server)) if (each !== name) server.objects.delete(each);
        server.objects.delete(name);
        server.interfere = () => undefined;
      }
      return undefined;
    };
    expect((await store.blobs.put(bytes)).outcome).toBe('stored');
    expect(await readDigest(await store.blobs.get(digestOf(bytes)))).toBe(digestOf(bytes));
  });

  it('that several put again at once is present for all of them, though the server fails for some', async () => {
    const server = await startServer();
    const { store } = openStore(server, { attempts: 1 });
    const bytes = bytesOf(10);
    const name = `blobs/${digestOf(bytes)}`;
    await store.blobs.put(bytes);
    server.aheadMs += 5_000;
    let isPutByOther = false;
    server.interfere = (request) => {
      if (request.method !== 'PUT' || request.name !== name) return undefined;
      if (request.headers['if-match'] === undefined) return undefined;
      if (isPutByOther) server.set(name, server.objects.get(name)?.body ?? Buffer.alloc(0));
      return { refuse: [500, 'UnknownError'] };
    };
    await expect(store.blobs.put(bytes)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    isPutByOther = true;
    expect((await store.blobs.put(bytes)).outcome).toBe('present');
  });

  it('is refused when its bytes are not what the digest says, and leaves nothing', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    for (const size of [10, LARGE]) {
      for (const source of [bytesOf(size), inChunks(bytesOf(size))]) {
        const put = store.blobs.put(source, { digest: 'd'.repeat(64) });
        await expect(put).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' });
      }
    }
    await store.close();
    expect(namesIn(server)).toEqual([]);
  });

  it('is found where it was put anew since it was looked up', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    const bytes = bytesOf(LARGE);
    await store.blobs.put(bytes);
    const blob = await store.blobs.get(digestOf(bytes));
    await store.blobs.delete(digestOf(bytes));
    await store.blobs.put(bytes);
    expect(await readDigest(blob)).toBe(digestOf(bytes));
  });

  it('that is removed while it is read ends with an error, not with other bytes', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    const bytes = bytesOf(LARGE);
    const { blob } = await store.blobs.put(bytes);
    let cuts = 1;
    server.interfere = ({ name }) => {
      if (!name.startsWith('data/') || (cuts -= 1) < 0) return undefined;
      queueMicrotask(() => setImmediate(() => server.objects.delete(name)));
      return { cutAt: 300_000 };
    };
    await expect(readDigest(blob)).rejects.toMatchObject({ code: 'CONTENT_MISSING' });
  });
});

it('leaves a client that it was given open', async () => {
  const server = await startServer();
  const client = new S3Client({
    endpoint: server.endpoint,
    credentials: CREDENTIALS,
    region: 'us-east-1',
    forcePathStyle: true,
  });
  const first = openStore(server, { client }).store;
  await first.put(KEY, resultOf(LARGE));
  await first.close();
  const second = openStore(server, { client }).store;
  expect(await digestsOf(await second.get(KEY))).toEqual(await digestsOf(resultOf(LARGE)));
  client.destroy();
});

it('takes one signal for many calls at once without a warning of the runtime', async () => {
  const server = await startServer();
  const { store } = openStore(server);
  const warnings: Error[] = [];
  const warn = (warning: Error): number => warnings.push(warning);
  process.on('warning', warn);
  const { signal } = new AbortController();
  const keys = Array.from({ length: 40 }, (_, at) => at.toString(16).padStart(64, '0'));
  await Promise.all(keys.map((key) => store.put(key, streamed(resultOf(LARGE)), { signal })));
  await Promise.all(keys.map((key) => store.get(key, { signal })));
  const kept = await Promise.all(keys.map((_, at) => store.blobs.put(bytesOf(LARGE, at), { signal })));
  const readers = kept.map(({ blob }) => blob.chunks({ signal })[Symbol.asyncIterator]());
  await Promise.all(readers.map((reader) => reader.next()));
  await Promise.all(kept.map(({ blob }) => readDigest(blob)));
  for (const reader of readers) await reader.return?.();
  process.off('warning', warn);
  expect(warnings.filter(({ name }) => name === 'MaxListenersExceededWarning')).toEqual([]);
});
