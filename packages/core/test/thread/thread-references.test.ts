import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import { referenceData } from '../../src/model/reference.js';
import type { Outcome } from '../../src/model/outcome.js';
import type { ThreadExecutor } from '../../src/thread/thread-executor.js';
import {
  TestHost,
  blobOf,
  callOf,
  codec,
  decoded,
  refOf,
  shared,
  startThread,
  task,
  workflow,
} from './run-host.ts';

let thread: ThreadExecutor;

beforeAll(async () => {
  thread = await startThread();
});
afterAll(() => thread.close());

const bytes = Buffer.alloc(600_000, 5);
const ref = refOf('make', bytes);
const run = (id: string, args: readonly unknown[], host: TestHost): Promise<Outcome> =>
  thread.execute(callOf(id, args), host);
const givingBytes = (): TestHost => new TestHost({ fetch: async () => codec.encode(bytes) });

describe('memory that threads share', () => {
  it('in arguments is never changed by a body', async () => {
    const args = shared(codec.encode([new Float64Array(10_000).fill(2)]));
    const results = await Promise.all(
      [1, 2].map(() => thread.execute(callOf(task('overwrites'), args), new TestHost())),
    );
    const expected = { sum: 20_000, changed: new Float64Array([9, 9]) };
    expect(results.map(decoded)).toEqual([expected, expected]);
    expect(codec.decode(args)).toEqual([new Float64Array(10_000).fill(2)]);
  });

  it('behind a reference is never changed by a body', async () => {
    const value = shared(codec.encode(bytes));
    const host = new TestHost({ fetch: async () => value });
    const outcome = await run(task('alike-and-own'), [{ deep: [ref] }, bytes], host);
    expect(decoded(outcome)).toEqual({ alike: true, stillAlike: false });
    expect(bytes.equals(codec.decode(value) as Uint8Array)).toBe(true);
  });
});

describe('a reference in arguments', () => {
  it('is the value that it stands for, however deep, and fetched once', async () => {
    const host = givingBytes();
    const outcome = await run(task('alike-and-own'), [{ deep: [ref] }, ref], host);
    expect(decoded(outcome)).toMatchObject({ alike: true });
    expect(host.fetched).toHaveLength(1);
    expect(host.fetched[0]).toMatchObject({ ...referenceData(ref), node: expect.any(Uint8Array) });
    expect(Uint8Array.from(host.fetched[0]?.node ?? [])).toEqual(Uint8Array.from(codec.digestNode(bytes)));
  });

  it('that cannot be fetched fails the run', async () => {
    const fetch = (): Promise<never> =>
      Promise.reject(new RoutineEngineError('REFERENCE_UNREACHABLE', 'The store has it no more'));
    const outcome = await run(task('overwrites'), [ref], new TestHost({ fetch }));
    expect(outcome).toMatchObject({ status: 'FAILED', error: { code: 'REFERENCE_UNREACHABLE' } });
  });

  it('that is never answered does not outlive the cancelled run', async () => {
    const host: TestHost = new TestHost({
      fetch() {
        host.cancel.cancel(new RoutineEngineError('RUN_CANCELLED', 'enough'));
        return new Promise(() => undefined);
      },
    });
    const outcome = await run(task('overwrites'), [ref], host);
    expect(outcome).toMatchObject({ status: 'CANCELLED', error: { message: 'enough' } });
  });

  it('stays a reference where the routine wants it, and gives each asker a value of his own', async () => {
    const host = givingBytes();
    const outcome = await run(workflow('keeps-refs'), [ref], host);
    const result = decoded(outcome) as { routineId: string; value: Buffer; streamed: Buffer };
    expect(result.routineId).toBe('tname:test:make:1.0.0');
    expect([bytes.equals(result.value), bytes.equals(result.streamed)]).toEqual([true, true]);
    // Both values by one message, the stream by another.
    expect(host.fetched).toHaveLength(2);
  });

  it('streams a result that is a stream', async () => {
    const source = { [Symbol.asyncIterator]: () => blobOf(bytes).chunks()[Symbol.asyncIterator]() };
    const { head, buffers, streams } = codec.encode(source, { streams: true });
    const value = { head, buffers, streams, blobs: new Map([[1, blobOf(bytes)]]) };
    const streamed = await run(workflow('streams-ref'), [ref], new TestHost({ fetch: async () => value }));
    expect(decoded(streamed)).toBeGreaterThan(0);
  });

  it('of a result that is not bytes cannot be streamed', async () => {
    const host = new TestHost({ fetch: async () => codec.encode({ some: 'data' }) });
    const outcome = await run(workflow('streams-ref'), [ref], host);
    expect(outcome).toMatchObject({ status: 'FAILED', error: { code: 'REFERENCE_NOT_BINARY' } });
  });

  it('answers nothing outside any run', async () => {
    const outcome = await run(workflow('asks-outside'), [ref], givingBytes());
    expect(decoded(outcome)).toEqual(['LIFECYCLE_CLOSED', 'LIFECYCLE_CLOSED']);
  });

  it('answers nothing after the body of its run is over', async () => {
    await run(workflow('asks-late'), [ref], givingBytes());
    const outcome = await run(task('answered-late'), [], new TestHost());
    expect(decoded(outcome)).toBe('RUN_CANCELLED');
  });
});

describe('a sub-call that asks for a reference', () => {
  it('gets one, without the value', async () => {
    const reference = referenceData(ref);
    const host = new TestHost({ request: async () => ({ status: 'DONE', reference, durationMs: 1 }) });
    const outcome = await run(workflow('asks-for-ref'), [], host);
    const result = decoded(outcome) as { routineId: string; ref: object };
    expect(result.routineId).toBe('tname:test:make:1.0.0');
    expect(referenceData(result.ref)?.key).toBe(reference?.key);
    expect(host.requested[0]?.answer).toBe('reference');
  });
});
