import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { currentRun, define, Lifecycle, Ref, type EngineEvent } from '../../src/index.js';
import { referenceData } from '../../src/model/reference.js';

const CHUNK = 64 * 1024;
let ran: string[];
let ended: string[];
let lifecycle: Lifecycle;
let events: EngineEvent[];

const chunk = (byte: number): Uint8Array => new Uint8Array(CHUNK).fill(byte);

async function* countingUp(chunks: number): AsyncGenerator<Uint8Array> {
  try {
    for (let index = 0; index < chunks; index += 1) yield chunk(index);
  } finally {
    ended.push('countingUp');
  }
}

const yields = define.task({ name: 'yields', version: '1.0.0' }, async function* (chunks: number) {
  ran.push('yields');
  yield* countingUp(chunks);
});
const report = define.task({ name: 'report', version: '1.0.0' }, (chunks: number) => {
  ran.push('report');
  return {
    name: 'report',
    log: countingUp(chunks),
    table: ReadableStream.from(countingUp(2)) as ReadableStream<Uint8Array>,
    matrix: Float32Array.of(1, 2, 3),
  };
});
const unremembered = define.task(
  { name: 'unremembered-stream', version: '1.0.0', cache: false },
  (chunks: number) => countingUp(chunks),
);
const teed = define.task({ name: 'teed', version: '1.0.0' }, (chunks: number) =>
  (ReadableStream.from(countingUp(chunks)) as ReadableStream<Uint8Array>).tee(),
);
const fails = define.task({ name: 'fails', version: '1.0.0' }, () => ({
  good: endless('good'),
  bad: (async function* () {
    yield chunk(1);
    await nextTurn();
    throw new RangeError('the disk fell off');
  })(),
}));
const yieldsText = define.task({ name: 'yields-text', version: '1.0.0' }, () => ({
  log: (async function* () {
    yield 'no bytes' as unknown as Uint8Array;
  })(),
}));
const never = define.task({ name: 'never', version: '1.0.0' }, () => endless('never'));
const bytesOf = define.task(
  { name: 'bytes-of', version: '1.0.0' },
  async (stream: AsyncIterable<Uint8Array>) => {
    ran.push('bytes-of');
    return (await collect(stream)).byteLength;
  },
);
const namesItself = define.task({ name: 'names-itself', version: '1.0.0' }, async function* () {
  yield new TextEncoder().encode(currentRun().routineId);
});
const relays = define.workflow({ name: 'relays' }, async (chunks: number) => {
  const { log, name } = await report(chunks);
  return { name, first: (await collect(log))[0] };
});

const counts = define.task({ name: 'counts', version: '1.0.0' }, (chunks: number) => {
  const result = { written: 0, rates: new Float64Array(200), log: countsUp() };
  async function* countsUp(): AsyncGenerator<Uint8Array> {
    for await (const each of countingUp(chunks)) {
      result.written += 1;
      result.rates.fill(result.written);
      yield each;
    }
  }
  return result;
});
const unchanged = define.task({ name: 'unchanged', version: '1.0.0' }, (chunks: number) => ({
  written: 0,
  rates: new Float64Array(200),
  log: countingUp(chunks),
}));
const nodeOf = (ref: Ref<unknown>): Uint8Array | undefined => referenceData(ref)?.node;

async function* endless(name: string): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      yield chunk(0);
      await nextTurn();
    }
  } finally {
    ended.push(name);
  }
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const each of stream) chunks.push(each);
  return Buffer.concat(chunks);
}
const expected = (chunks: number): Buffer =>
  Buffer.concat(Array.from({ length: chunks }, (_, index) => chunk(index)));

beforeEach(async () => {
  ran = [];
  ended = [];
  lifecycle = await Lifecycle.init({ project: 'test' });
  events = [];
  lifecycle.events$.subscribe((event) => events.push(event));
});
afterEach(() => lifecycle.shutdown());

describe('a stream in a result', () => {
  it.each([0, 1, 16, 17, 100])('arrives as a stream, byte by byte: %i chunks', async (chunks) => {
    expect((await collect(await yields(chunks))).equals(expected(chunks))).toBe(true);
    expect((await collect(await unremembered(chunks))).equals(expected(chunks))).toBe(true);
  });

  it.each([3, 100])('may be a part of it, of either kind: %i chunks', async (chunks) => {
    const { name, log, table, matrix } = await report(chunks);
    expect(name).toBe('report');
    expect(matrix).toEqual(Float32Array.of(1, 2, 3));
    expect(table).toBeInstanceOf(ReadableStream);
    expect((await collect(log)).equals(expected(chunks))).toBe(true);
    expect((await collect(table)).equals(expected(2))).toBe(true);
  });

  it('is read to its end before the run is over', async () => {
    const stream = await yields(40);
    expect(ended).toEqual(['countingUp']);
    expect(events.at(-1)).toMatchObject({ type: 'run.completed' });
    await stream.return(undefined);
  });

  it('is remembered with the result, when it is short enough for the memory store', async () => {
    expect((await collect(await yields(3))).equals(expected(3))).toBe(true);
    expect((await collect(await yields(3))).equals(expected(3))).toBe(true);
    expect(ran).toEqual(['yields']);
  });

  it('is not remembered by the memory store when it is long, and that shows', async () => {
    await collect(await yields(40));
    expect(events.at(-1)).toMatchObject({ type: 'run.completed', remembered: false });
    expect(events.find(({ type }) => type === 'store.failed')).toMatchObject({ operation: 'put' });
    await collect(await yields(40));
    expect(ran).toEqual(['yields', 'yields']);
  });

  it('is given to each of several callers as its own', async () => {
    const [one, two] = await Promise.all([yields(5), yields(5)]);
    expect((await collect(one)).equals(await collect(two))).toBe(true);
    expect(ran).toEqual(['yields']);
  });

  it('may be left in the middle', async () => {
    for await (const first of await yields(40)) {
      expect(first[0]).toBe(0);
      break;
    }
  });

  it('may wait for another one of the same result', async () => {
    const [one, two] = await teed(50);
    expect((await collect(two as AsyncIterable<Uint8Array>)).equals(expected(50))).toBe(true);
    expect((await collect(one as AsyncIterable<Uint8Array>)).equals(expected(50))).toBe(true);
  });

  it('fails the run with its own error, and ends the others', async () => {
    await expect(fails()).rejects.toThrow(new RangeError('the disk fell off'));
    while (!ended.includes('good')) await nextTurn();
  });

  it('is refused, with its path, when it gives something else than bytes', async () => {
    await expect(yieldsText()).rejects.toMatchObject({
      code: 'VALUE_NOT_ENCODABLE',
      message: expect.stringContaining('result.log'),
    });
  });

  it('ends when the run is cancelled', async () => {
    const controller = new AbortController();
    const call = never.with({ signal: controller.signal })();
    await nextTurn();
    controller.abort(new Error('enough'));
    await expect(call).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    while (!ended.includes('never')) await nextTurn();
  });

  it('is read by a workflow as any other value', async () => {
    expect(await relays(4)).toEqual({ name: 'report', first: 0 });
  });

  it('is refused as an argument, and goes as a reference', async () => {
    const stream = await yields(3);
    await expect(bytesOf(stream)).rejects.toMatchObject({
      code: 'VALUE_NOT_ENCODABLE',
      message: expect.stringContaining('args[0]'),
    });
    const ref = await yields.ref(3);
    expect(ref).toBeInstanceOf(Ref);
    expect(await bytesOf(ref)).toBe(3 * CHUNK);
    expect(await bytesOf(await yields.ref(3))).toBe(3 * CHUNK);
    expect(ran).toEqual(['yields', 'bytes-of']);
    expect((await collect(ref.stream())).equals(expected(3))).toBe(true);
  });

  it.each(['remembered', 'not remembered'])('is written by the code of its run: %s', async (which) => {
    const stream = await namesItself.with({ cache: which === 'remembered' })();
    expect((await collect(stream)).toString()).toBe('tname:test:names-itself:1.0.0');
  });

  it('counts as what arrives, though the body changes its result while the stream is read', async () => {
    const ref = await counts.ref(3);
    const value = await ref.value();
    await collect(value.log);
    expect(value.written).toBe(0);
    const nodes = [nodeOf(ref), nodeOf(await unchanged.ref(3))];
    expect(nodes[0]).toEqual(nodes[1]);
  });

  it('may be returned by a workflow that got it from a task', async () => {
    const passes = define.workflow({ name: 'passes' }, async () => ({
      stream: await yields(40),
      runId: currentRun().runId,
    }));
    expect((await collect((await passes()).stream)).equals(expected(40))).toBe(true);
  });
});
