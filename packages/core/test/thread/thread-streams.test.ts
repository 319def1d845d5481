import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromPlainError } from '../../src/errors/error-conversion.js';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import { LIMITS } from '../../src/model/limits.js';
import type { Outcome } from '../../src/model/outcome.js';
import type { StoredBlob } from '../../src/model/stored-blob.js';
import type { ThreadExecutor } from '../../src/thread/thread-executor.js';
import { block } from './fixtures/content-routines.ts';
import {
  TestHost,
  blobOf,
  callOf,
  codec,
  decoded,
  keepInMemory,
  startThread,
  task,
  valueOf,
  workflow,
} from './run-host.ts';

const MIB = 1024 * 1024;
let thread: ThreadExecutor;

beforeAll(async () => {
  thread = await startThread();
});
afterAll(() => thread.close());

const run = (name: string, args: readonly unknown[], host = new TestHost()): Promise<Outcome> =>
  thread.execute(callOf(task(name), args), host);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The names of the streams that were ended since this was asked last. */
const ended = async (): Promise<unknown> => decoded(await run('ended-streams', []));

function digestOfBlocks(count: number, byteLength: number): string {
  const hash = createHash('sha256');
  for (let index = 0; index < count; index += 1) hash.update(block(index, byteLength));
  return hash.digest('hex');
}

describe('a stream in a result', () => {
  it('of 64 MiB arrives as it was, and its source is never far ahead of its reader', async () => {
    const hash = createHash('sha256');
    let [read, mostAhead] = [0, 0];
    const host: TestHost = new TestHost({
      async spool(chunks) {
        for await (const chunk of chunks) {
          for (let turns = 0; turns < 3; turns += 1) await turn();
          mostAhead = Math.max(mostAhead, host.done - read);
          read += chunk.byteLength;
          hash.update(chunk);
        }
        return { ...blobOf(new Uint8Array(0)), digest: hash.digest('hex'), byteLength: read };
      },
    });
    const value = valueOf(await run('streamed', [64, MIB], host));
    const blob = value.blobs?.get(value.buffers.length);
    expect(blob).toMatchObject({ byteLength: 64 * MIB, digest: digestOfBlocks(64, MIB) });
    // One block may be told that is not sent, and what is read is given back in quarters.
    expect(mostAhead).toBeGreaterThan(0);
    expect(mostAhead).toBeLessThanOrEqual(LIMITS.threadWindowBytes + LIMITS.chunkBytes + MIB);
  });

  it('is put where the host keeps it, and the rest of the value stays as it was', async () => {
    const outcome = await run('streamed', [3, 400_000]);
    const value = decoded(outcome) as { before: Uint8Array; bytes: AsyncIterable<Uint8Array> };
    expect(value.before).toEqual(new Uint8Array(5000).fill(7));
    expect((await keepInMemory(value.bytes)).digest).toBe(digestOfBlocks(3, 400_000));
  });

  it('of many small chunks arrives as it was', async () => {
    const outcome = await run('streamed', [30_000, 7]);
    const { bytes } = decoded(outcome) as { bytes: AsyncIterable<Uint8Array> };
    expect((await keepInMemory(bytes)).digest).toBe(digestOfBlocks(30_000, 7));
  });

  it('that is short stays in the memory of the host', async () => {
    const host = new TestHost({ spool: async (chunks) => Buffer.concat(await all(chunks)) });
    const value = valueOf(await run('streamed', [2, 10], host));
    expect(value.blobs).toBeUndefined();
    expect(value.streams).toBe(1);
    expect(value.buffers.at(-1)).toEqual(Buffer.concat([block(0, 10), block(1, 10)]));
  });

  it('is read beside another one', async () => {
    let begun = 0;
    let bothBegun!: () => void;
    const both = new Promise<void>((resolve) => (bothBegun = resolve));
    const host = new TestHost({
      async spool(chunks) {
        begun += 1;
        if (begun === 2) bothBegun();
        await both;
        return keepInMemory(chunks);
      },
    });
    const value = valueOf(await run('two-streams', [], host));
    const digests = [...(value.blobs?.values() ?? [])].map(({ digest }) => digest);
    expect(digests).toEqual([digestOfBlocks(40, 100_000), digestOfBlocks(40, 100_000)]);
  });

  it('comes with what stands for it in digests', async () => {
    const call = { ...callOf(task('streamed'), [3, 400_000]), argumentsDigest: 'a'.repeat(64) };
    const outcome = await thread.execute(call, new TestHost());
    const equal = { before: new Uint8Array(5000).fill(7), bytes: stream(blobOf(new Uint8Array(0))) };
    const content = { digest: digestOfBlocks(3, 400_000), byteLength: 1_200_000 };
    const node = codec.digestNode(equal, { streams: new Map([[equal.bytes, content]]) });
    expect(outcome).toMatchObject({ status: 'DONE' });
    expect('node' in outcome && Uint8Array.from(outcome.node ?? [])).toEqual(Uint8Array.from(node));
  });
});

describe('a stream in a result that fails', () => {
  it('in the middle fails the run with its own error, and the reader too', async () => {
    let readerGot: unknown;
    const host = new TestHost({
      spool: (chunks) =>
        keepInMemory(chunks).catch((error: unknown) => {
          readerGot = error;
          throw error;
        }),
    });
    const outcome = await run('tearing', [], host);
    const error = fromPlainError((outcome as Extract<Outcome, { status: 'FAILED' }>).error);
    await turn();
    for (const failure of [error, readerGot]) {
      expect(failure).toBeInstanceOf(RangeError);
      expect(failure).toMatchObject({ code: 'TAPE', message: 'the tape tore' });
      expect((failure as Error).stack).toContain('content-routines.ts');
    }
  });

  it.each([
    ['at once', 0],
    ['after a while', 1],
  ])(
    'because the host cannot keep it %s fails the run with that error, and ends its source',
    async (_, reads) => {
      await ended();
      const host = new TestHost({
        async spool(chunks) {
          const iterator = chunks[Symbol.asyncIterator]();
          for (let read = 0; read < reads; read += 1) await iterator.next();
          throw new RoutineEngineError('STORE_FULL', 'There is no room');
        },
      });
      const outcome = await run('streamed', [40, 100_000], host);
      expect(outcome).toMatchObject({ status: 'FAILED', error: { code: 'STORE_FULL' } });
      expect(await ended()).toEqual(['streamed']);
    },
  );

  it('because the run is cancelled ends its source', async () => {
    await ended();
    const host: TestHost = new TestHost({
      async spool(chunks) {
        for await (const _ of chunks) host.cancel.cancel(new RoutineEngineError('RUN_CANCELLED', 'enough'));
        return blobOf(new Uint8Array(0));
      },
    });
    const outcome = await run('stuck', [], host);
    expect(outcome).toMatchObject({ status: 'CANCELLED', error: { code: 'RUN_CANCELLED' } });
    expect(await ended()).toEqual(['stuck']);
  });

  it('because its thread exits fails the run, and its reader', async () => {
    let readerGot: unknown;
    const host = new TestHost({
      spool: (chunks) =>
        keepInMemory(chunks).catch((error: unknown) => {
          readerGot = error;
          throw error;
        }),
    });
    const outcome = await run('exits-mid-stream', [], host);
    expect(outcome).toMatchObject({ status: 'FAILED', error: { code: 'THREAD_EXITED' } });
    await turn();
    expect(readerGot).toMatchObject({ code: 'THREAD_EXITED' });
  });
});

describe('a stream in the answer to a sub-call', () => {
  const bytes = new Uint8Array(4 * MIB).fill(1);

  /** Answers with a stream of these bytes; what is read of it shows in `counts`. */
  function answering(counts: { read: number; closed: number }): TestHost {
    const blob: StoredBlob = {
      ...blobOf(bytes),
      async *chunks() {
        try {
          for (let at = 0; at < bytes.byteLength; at += 64 * 1024) {
            counts.read += 64 * 1024;
            yield bytes.subarray(at, at + 64 * 1024);
          }
        } finally {
          counts.closed += 1;
        }
      },
    };
    const { head, buffers, streams } = codec.encode({ log: stream(blob) }, { streams: true });
    const value = { head, buffers, streams, blobs: new Map([[buffers.length, blob]]) };
    return new TestHost({ request: async () => ({ status: 'DONE', value, durationMs: 1 }) });
  }

  it('is read by the workflow that called', async () => {
    const counts = { read: 0, closed: 0 };
    const outcome = await thread.execute(callOf(workflow('reads-part'), [Infinity]), answering(counts));
    expect(decoded(outcome)).toEqual({ read: bytes.byteLength, sum: bytes.byteLength });
    expect(counts.closed).toBe(1);
  });

  it('is read no further than the workflow wants, and ended', async () => {
    const counts = { read: 0, closed: 0 };
    const outcome = await thread.execute(callOf(workflow('reads-part'), [100]), answering(counts));
    expect(decoded(outcome)).toMatchObject({ read: expect.any(Number) });
    await turn();
    expect(counts.closed).toBe(1);
    expect(counts.read).toBeLessThanOrEqual(LIMITS.threadWindowBytes + 4 * LIMITS.chunkBytes);
  });

  it('may be the result of the workflow', async () => {
    const counts = { read: 0, closed: 0 };
    const outcome = await thread.execute(callOf(workflow('passes-on'), []), answering(counts));
    expect(valueOf(outcome).blobs?.get(1)?.digest).toBe(blobOf(bytes).digest);
  });

  it('fails where it is read when its content is lost', async () => {
    const blob: StoredBlob = {
      ...blobOf(bytes),
      // oxlint-disable-next-line require-yield
      async *chunks() {
        throw new RoutineEngineError('CONTENT_CORRUPT', 'The content is not what it was');
      },
    };
    const { head, buffers, streams } = codec.encode({ log: stream(blob) }, { streams: true });
    const value = { head, buffers, streams, blobs: new Map([[buffers.length, blob]]) };
    const host = new TestHost({ request: async () => ({ status: 'DONE', value, durationMs: 1 }) });
    const outcome = await thread.execute(callOf(workflow('reads-part'), [100]), host);
    expect(outcome).toMatchObject({ status: 'FAILED', error: { code: 'CONTENT_CORRUPT' } });
  });
});

async function all(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const kept: Uint8Array[] = [];
  for await (const chunk of chunks) kept.push(chunk);
  return kept;
}

function stream(blob: StoredBlob): AsyncIterable<Uint8Array> {
  return { [Symbol.asyncIterator]: () => blob.chunks()[Symbol.asyncIterator]() };
}
