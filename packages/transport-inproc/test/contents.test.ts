import { everythingRemote, executionPolicy } from '@routine-engine/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cluster, engines, type Opened } from './fixtures/engines.ts';
import {
  begins,
  bytes,
  endedStreams,
  exitsMidStream,
  keepsRef,
  overwrites,
  passesOn,
  refersOnly,
  row,
  streamed,
  stuck,
  tearing,
  twoStreams,
} from './fixtures/content-routines.ts';

const remote = executionPolicy(everythingRemote);

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const kept: Uint8Array[] = [];
  for await (const chunk of chunks) kept.push(Uint8Array.from(chunk));
  return Buffer.concat(kept);
}

describe.each(engines())('%s', (_, start) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await start();
  });
  afterAll(() => opened.lifecycle.shutdown());

  it.each([0, 10, 300_000, 3_000_000])('gives a stream of %i bytes as it was', async (byteLength) => {
    const result = await streamed(byteLength);
    expect(result.byteLength).toBe(byteLength);
    expect((await collect(result.rows)).equals(row(0, byteLength))).toBe(true);
  });

  it('gives two streams of one result, to be read in any order', async () => {
    const [first, second] = await twoStreams(2_000_000);
    for (const stream of [second, first]) {
      expect((await collect(stream as AsyncIterable<Uint8Array>)).equals(row(0, 2_000_000))).toBe(true);
    }
  });

  it('fails a run with what its stream throws', async () => {
    const error = await tearing().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: 'the tape tore', code: 'TAPE' });
    expect((error as Error).stack).toContain('content-routines.ts');
  });

  it('lets a workflow read the beginning of a stream', async () => {
    expect(await begins(3_000_001)).toEqual(row(0, 4));
  });

  it('lets a workflow give on a stream that it got', async () => {
    expect((await collect(await passesOn(3_000_002))).equals(row(0, 3_000_002))).toBe(true);
  });

  it('puts values in the place of references, for each body its own', async () => {
    const { starts, ref } = await refersOnly(1_000_000);
    expect(starts).toEqual(Array.from({ length: 4 }, () => [0, 1, 2]));
    expect(Buffer.from(await ref.value()).equals(row(0, 1_000_000))).toBe(true);
  });

  it('takes a reference in place of an argument', async () => {
    const ref = await bytes.ref(700_000);
    expect(await overwrites(ref, { deep: [ref] })).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect((await collect(ref.stream())).equals(row(0, 700_000))).toBe(true);
  });

  it('keeps a reference where the routine wants it', async () => {
    const ref = await bytes.ref(700_001);
    const routineId = 'tname:test:bytes:1.0.0';
    expect(await keepsRef(ref)).toEqual({ routineId, length: 700_001, streamedBytes: 700_001 });
  });

  it('has no run in hand when all calls have settled', () => {
    expect(opened.lifecycle.engine.current).toEqual([]);
  });
});

describe('a stream in the result of a run on a background thread', () => {
  it('ends its source when the run is cancelled', async () => {
    await using opened = await cluster(1)(remote);
    const controller = new AbortController();
    const call = stuck.with({ signal: controller.signal })();
    await opened.event('run.progress');
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect(await endedStreams()).toEqual(['stuck']);
  });

  it('fails the run when the thread ends in the middle, and the worker lives on', async () => {
    await using _ = await cluster(1)(remote);
    await expect(exitsMidStream()).rejects.toMatchObject({ code: 'THREAD_EXITED' });
    expect(await overwrites(row(7, 3), { deep: [] })).toEqual([[7, 8, 9]]);
  });
});
