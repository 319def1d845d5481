import { describe, expect, it } from 'vitest';
import {
  bytesOf,
  digestOf,
  inChunks,
  KEY,
  namesIn,
  openStore,
  digestsOf,
  readDigest,
  readIntoDigest,
  resultOf,
  startServer,
  streamed,
} from './place.ts';
import type { Fault, S3Double, SeenRequest } from './s3-double.ts';

const LARGE = 400_000;
const QUICK = { attempts: 3, timeouts: { idleMs: 100 } };

/** The fault happens to the first so many requests of a kind. */
function faultFirst(
  server: S3Double,
  times: number,
  fault: Fault,
  is?: (request: SeenRequest) => boolean,
): void {
  let left = times;
  server.interfere = (request) => (is?.(request) !== false && (left -= 1) >= 0 ? fault : undefined);
}

const isPutOf =
  (begin: string) =>
  ({ method, name }: SeenRequest): boolean =>
    method === 'PUT' && name.startsWith(begin);
const isGetOf =
  (begin: string) =>
  ({ method, name }: SeenRequest): boolean =>
    method === 'GET' && name.startsWith(begin);

describe('a server that fails now and then', () => {
  it.each<[string, Fault]>([
    ['fails inside', { refuse: [500, 'InternalError'] }],
    ['breaks the connection', { reset: 'unseen' }],
    ['does not answer in time', { silence: true }],
  ])('is asked again when it %s', async (_, fault) => {
    const server = await startServer();
    const { store, events } = openStore(server, QUICK);
    for (const result of [resultOf(10, 20), resultOf(10, LARGE)]) {
      faultFirst(server, 2, fault);
      expect(await store.put(KEY, result)).toBe('stored');
      faultFirst(server, 2, fault);
      expect(await digestsOf(await store.get(KEY))).toEqual(await digestsOf(result));
      faultFirst(server, 2, fault);
      expect(await store.has(KEY)).toBe(true);
      faultFirst(server, 2, fault);
      expect(await store.delete(KEY)).toBe(true);
    }
    expect(events).toEqual([]);
  });

  it('is asked again when it says to slow down', async () => {
    const server = await startServer();
    const { store } = openStore(server, QUICK);
    faultFirst(server, 1, { refuse: [503, 'SlowDown'] });
    expect(await store.put(KEY, resultOf(10))).toBe('stored');
  });

  it('is told as unreachable when it goes on so, never as a missing result', async () => {
    const server = await startServer();
    const { store } = openStore(server, QUICK);
    server.interfere = () => ({ refuse: [500, 'InternalError'] });
    const wanted = { code: 'STORE_UNREACHABLE', message: expect.stringContaining('InternalError') as string };
    await expect(store.get(KEY)).rejects.toMatchObject(wanted);
    await expect(store.put(KEY, resultOf(10))).rejects.toMatchObject(wanted);
    await expect(store.put(KEY, resultOf(LARGE))).rejects.toMatchObject(wanted);
    await expect(store.has(KEY)).rejects.toMatchObject(wanted);
    await expect(store.delete(KEY)).rejects.toMatchObject(wanted);
    await expect(store.blobs.get(KEY)).rejects.toMatchObject(wanted);
    await expect(store.blobs.put(inChunks(bytesOf(LARGE)))).rejects.toMatchObject(wanted);
  });

  it('is given up at once when the signal aborts, though it never answers', async () => {
    const server = await startServer();
    const { store } = openStore(server, { timeouts: { idleMs: 500 }, attempts: 1 });
    const reason = new Error('no longer wanted');
    const calls = [
      (signal: AbortSignal) => store.get(KEY, { signal }),
      (signal: AbortSignal) => store.put(KEY, resultOf(10), { signal }),
      (signal: AbortSignal) => store.put(KEY, resultOf(LARGE), { signal }),
      (signal: AbortSignal) => store.blobs.get(KEY, { signal }),
      (signal: AbortSignal) => store.blobs.put(inChunks(bytesOf(LARGE)), { signal }),
    ];
    for (const call of calls) {
      const controller = new AbortController();
      server.interfere = () => {
        controller.abort(reason);
        return { silence: true };
      };
      await expect(call(controller.signal)).rejects.toBe(reason);
    }
  });
});

describe('a put whose answer is lost', () => {
  it.each([
    ['a small result', 10],
    ['a large result', LARGE],
  ])('is told as stored for %s, and the result stays', async (_, size) => {
    const server = await startServer();
    const { store } = openStore(server, QUICK);
    faultFirst(server, 1, { reset: 'lost' }, isPutOf('results/'));
    expect(await store.put(KEY, resultOf(size))).toBe('stored');
    expect(await store.put(KEY, resultOf(size))).toBe('present');
    await store.close();
    const again = openStore(server).store;
    expect(await digestsOf(await again.get(KEY))).toEqual(await digestsOf(resultOf(size)));
  });

  it('is told as stored for a blob', async () => {
    const server = await startServer();
    const { store } = openStore(server, QUICK);
    faultFirst(server, 1, { reset: 'lost' }, isPutOf('blobs/'));
    const { blob, outcome } = await store.blobs.put(inChunks(bytesOf(LARGE * 2)));
    expect(outcome).toBe('stored');
    expect(await readDigest(blob)).toBe(digestOf(bytesOf(LARGE * 2)));
  });

  it('keeps the bytes of a large result when no answer ever came, since it may be there', async () => {
    const server = await startServer();
    const { store } = openStore(server, QUICK);
    server.interfere = (request) => (isPutOf('results/')(request) ? { reset: 'lost' } : undefined);
    await expect(store.put(KEY, resultOf(LARGE))).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    await store.close();
    const again = openStore(server).store;
    expect(await digestsOf(await again.get(KEY))).toEqual(await digestsOf(resultOf(LARGE)));
  });

  it('is told as stored when it was that of the end of an upload in parts', async () => {
    const server = await startServer();
    const { store } = openStore(server, QUICK);
    const isEnd = ({ method, query }: SeenRequest): boolean => method === 'POST' && query.has('uploadId');
    faultFirst(server, 1, { reset: 'lost' }, isEnd);
    expect(await store.put(KEY, resultOf(11_000_000))).toBe('stored');
    expect((await store.get(KEY))?.body.byteLength).toBe(11_000_000);
  });

  it('is tried again when another write of the same name was under way', async () => {
    const server = await startServer();
    const { store } = openStore(server, QUICK);
    faultFirst(server, 2, { refuse: [409, 'ConditionalRequestConflict'] }, isPutOf('results/'));
    expect(await store.put(KEY, resultOf(10))).toBe('stored');
  });
});

describe('a body that breaks off', () => {
  it('is continued from there, of the same object, for a result', async () => {
    const server = await startServer();
    const { store, events } = openStore(server, QUICK);
    await store.put(KEY, resultOf(10, LARGE));
    faultFirst(server, 2, { cutAt: 200_000 }, isGetOf('data/'));
    server.requests.length = 0;
    expect(await digestsOf(await store.get(KEY))).toEqual(await digestsOf(resultOf(10, LARGE)));
    const [, second, third] = server.requests.filter(isGetOf('data/'));
    expect(second?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(third?.headers['if-match']).toMatch(/^"[0-9a-f]{32}"$/);
    expect(events).toEqual([]);
  });

  it('is continued from there for a blob, however often as long as it gets on', async () => {
    const server = await startServer();
    const { store } = openStore(server, { ...QUICK, attempts: 2 });
    const { blob } = await store.blobs.put(bytesOf(LARGE));
    faultFirst(server, 5, { cutAt: 100_000 }, isGetOf('data/'));
    expect(await readDigest(blob)).toBe(digestOf(bytesOf(LARGE)));
  });

  it('is continued from there for a blob that is read into memory', async () => {
    const server = await startServer();
    const { store } = openStore(server, { ...QUICK, attempts: 2 });
    const { blob } = await store.blobs.put(bytesOf(2_500_000));
    faultFirst(server, 4, { cutAt: 600_000 }, isGetOf('data/'));
    server.requests.length = 0;
    expect(await readIntoDigest(blob)).toBe(digestOf(bytesOf(2_500_000)));
    expect(server.requests.filter(isGetOf('data/'))).toHaveLength(5);
  });

  it('is asked for again when it is small', async () => {
    const server = await startServer();
    const { store, events } = openStore(server, QUICK);
    await store.put(KEY, resultOf(10, 20_000));
    faultFirst(server, 2, { cutAt: 1000 });
    expect(await digestsOf(await store.get(KEY))).toEqual(await digestsOf(resultOf(10, 20_000)));
    expect(events).toEqual([]);
  });

  it('is told as unreachable when it never gets on, and what is kept stays', async () => {
    const server = await startServer();
    const { store, events } = openStore(server, QUICK);
    await store.put(KEY, resultOf(LARGE));
    const { blob } = await store.blobs.put(bytesOf(LARGE));
    server.interfere = (request) => (isGetOf('data/')(request) ? { cutAt: 0 } : undefined);
    await expect(store.get(KEY)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    await expect(readDigest(blob)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    await expect(readIntoDigest(blob)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    server.interfere = () => undefined;
    expect(await digestsOf(await store.get(KEY))).toEqual(await digestsOf(resultOf(LARGE)));
    expect(await readDigest(blob)).toBe(digestOf(bytesOf(LARGE)));
    expect(events).toEqual([]);
  });
});

describe('bytes that are changed on their way', () => {
  it.each([
    ['a small result', 'results/', 10],
    ['a large result', 'data/', LARGE],
  ])('are read again for %s, which stays where it is', async (_, begin, size) => {
    const server = await startServer();
    const { store, events } = openStore(server, QUICK);
    await store.put(KEY, resultOf(size));
    faultFirst(server, 1, { flipAt: 300 }, isGetOf(begin));
    expect(await digestsOf(await store.get(KEY))).toEqual(await digestsOf(resultOf(size)));
    expect(events).toEqual([]);
  });

  it.each([
    ['read', readDigest],
    ['read into memory', readIntoDigest],
  ])('never pass as the bytes of a blob that is %s, which stays where it is', async (_, reading) => {
    const server = await startServer();
    const { store, events } = openStore(server, QUICK);
    const bytes = bytesOf(LARGE);
    const { blob } = await store.blobs.put(bytes);
    faultFirst(server, 1, { flipAt: 200_000 }, isGetOf('data/'));
    await expect(reading(blob)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' });
    expect(await reading(blob)).toBe(digestOf(bytes));
    expect(await readDigest(await store.blobs.get(digestOf(bytes)))).toBe(digestOf(bytes));
    expect(events).toEqual([]);
  });
});

describe('an upload in parts', () => {
  const isPart = ({ method, query }: SeenRequest): boolean => method === 'PUT' && query.has('partNumber');

  it('ends with the first part that fails for good, and leaves nothing', async () => {
    const server = await startServer();
    const { store } = openStore(server, QUICK);
    let asked = 0;
    let released = false;
    const endless = (async function* () {
      try {
        for (;;) {
          asked += 1;
          yield bytesOf(1_000_000);
        }
      } finally {
        released = true;
      }
    })();
    server.interfere = (request) => (isPart(request) ? { refuse: [403, 'AccessDenied'] } : undefined);
    await expect(store.blobs.put(endless)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    expect(asked).toBeLessThan(60);
    await store.close();
    expect(released).toBe(true);
    expect(server.uploads.size).toBe(0);
    expect(namesIn(server)).toEqual([]);
  });

  it('asks for no more than a few parts while none of them gets through', async () => {
    const server = await startServer();
    const { store } = openStore(server, { attempts: 1, timeouts: { idleMs: 1000 } });
    let asked = 0;
    const endless = (async function* () {
      for (;;) {
        asked += 1;
        yield bytesOf(1_000_000);
      }
    })();
    server.interfere = (request) => (isPart(request) ? { silence: true } : undefined);
    await expect(store.blobs.put(endless)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    expect(asked).toBeGreaterThan(20);
    expect(asked).toBeLessThan(40);
  });

  it('leaves nothing when it is aborted', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    server.interfere = (request) => {
      if (isPart(request)) controller.abort(reason);
      return undefined;
    };
    const put = store.put(KEY, streamed(resultOf(30_000_000)), { signal: controller.signal });
    await expect(put).rejects.toBe(reason);
    await store.close();
    expect(server.uploads.size).toBe(0);
    expect(namesIn(server)).toEqual([]);
  });

  it('tells why its source failed, and leaves nothing', async () => {
    const server = await startServer();
    const { store } = openStore(server);
    const reason = new Error('the source is gone');
    const failing = (async function* () {
      yield* inChunks(bytesOf(12_000_000), 1_000_000);
      throw reason;
    })();
    await expect(store.blobs.put(failing)).rejects.toBe(reason);
    await store.close();
    expect(server.uploads.size).toBe(0);
    expect(namesIn(server)).toEqual([]);
  });
});
