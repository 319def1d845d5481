import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/cache/memory-store.js';
import { ResultCache, type Answer, type RememberedCall } from '../../src/cache/result-cache.js';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { Cancellation } from '../../src/context/cancellation.js';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { EngineEvent } from '../../src/events/engine-event.js';
import { EventFeed } from '../../src/events/event-feed.js';
import type { Outcome } from '../../src/model/outcome.js';
import type { ResultStore } from '../../src/ports/result-store.js';
import { systemClock } from '../../src/lifecycle/platform/system-clock.js';
import { contentsOver } from '../support/contents.js';

const value = (byte: number): Outcome => ({
  status: 'DONE',
  value: { head: new Uint8Array([byte]), buffers: [] },
  durationMs: 1,
});
const call = (digest: string, runId = 'run-1'): RememberedCall => ({
  ...{ runId, rootRunId: runId, routineId: 'tname:test:train:1.0.0', attempt: 1, argumentsDigest: digest },
  arguments: { head: new Uint8Array(), buffers: [] },
});

let store: MemoryStore;
let events: EngineEvent[];
let cache: ResultCache;

function cacheOver(over: ResultStore): ResultCache {
  const feed = new EventFeed<EngineEvent>();
  events = [];
  feed.events$.subscribe((event) => events.push(event));
  const contents = contentsOver(over, feed);
  return new ResultCache({
    store: over,
    contents,
    codec: new MsgpackrCodec(),
    clock: systemClock,
    feed,
    node: 'test',
  });
}

beforeEach(() => {
  store = new MemoryStore({ id: 'test', clock: systemClock, node: 'test' });
  cache = cacheOver(store);
});

/** Has a call remembered, computing with the outcome given, and counts how often that was needed. */
function remember(of: RememberedCall, outcome: Outcome | Promise<Outcome>, cancel = new Cancellation()) {
  let computed = 0;
  const answer = cache.remember(of, {}, cancel, async () => {
    computed += 1;
    return cache.keep(of, {}, await outcome);
  });
  return { answer, computed: () => computed };
}

/** The store, but failing in one operation. */
const failing = (operation: 'get' | 'put'): ResultStore =>
  new Proxy(store, {
    get(target, name) {
      if (name === operation) {
        return () => Promise.reject(new RoutineEngineError('STORE_UNREACHABLE', `${operation} failed`));
      }
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member as () => unknown).bind(target) : member;
    },
  });

describe('the result cache', () => {
  it('computes the first time, and answers from the store the second', async () => {
    const first = remember(call('a'), value(1));
    expect(await first.answer).toMatchObject({ from: 'run', outcome: { rememberedIn: store.identity } });
    const second = remember(call('a'), value(2));
    expect(await second.answer).toMatchObject({
      from: 'store',
      outcome: { value: { head: new Uint8Array([1]) } },
    });
    expect(second.computed()).toBe(0);
    expect(events.map((event) => event.type)).toEqual(['store.miss', 'store.put', 'store.hit']);
  });

  it('computes for each set of arguments', async () => {
    await remember(call('a'), value(1)).answer;
    expect(await remember(call('b'), value(2)).answer).toMatchObject({ from: 'run' });
  });

  it('keeps results of different sources apart', async () => {
    const compute = (): Promise<Outcome> => Promise.resolve(value(1));
    const changing = { ...call('a'), routineId: 'tname:test:train:1.0.0-dev' };
    const answerOf = (sourceHash: string): Promise<Answer> =>
      cache.remember(changing, { sourceHash }, new Cancellation(), compute);
    await cache.keep(changing, { sourceHash: 'source-1' }, value(1));
    expect(await answerOf('source-1')).toMatchObject({ from: 'store' });
    expect(await answerOf('source-2')).toMatchObject({ from: 'run' });
  });

  it('says once when a released routine has another source than what was kept', async () => {
    const compute = (): Promise<Outcome> => Promise.resolve(value(1));
    await cache.keep(call('a'), { sourceHash: 'source-1' }, value(1));
    const answerOf = (sourceHash: string): Promise<Answer> =>
      cache.remember(call('a'), { sourceHash }, new Cancellation(), compute);
    for (const source of ['source-1', 'source-2', 'source-2'])
      expect(await answerOf(source)).toMatchObject({ from: 'store' });
    expect(events.filter(({ type }) => type === 'store.source_changed')).toMatchObject([
      { routineId: 'tname:test:train:1.0.0' },
    ]);
  });

  it('lets equal calls in flight share one run', async () => {
    const calls = [1, 2, 3].map((n) => remember(call('a', `run-${n}`), value(7)));
    const answers = await Promise.all(calls.map(({ answer }) => answer));
    expect(answers.map(({ from }) => from)).toEqual(['run', 'shared', 'shared']);
    expect(calls.map(({ computed }) => computed())).toEqual([1, 0, 0]);
  });

  it('gives a failure to all who share the run, and keeps none', async () => {
    const failure: Outcome = { status: 'FAILED', error: { name: 'Error', message: 'no' } };
    const calls = [1, 2].map(() => remember(call('a'), failure));
    for (const { answer } of calls) expect((await answer).outcome).toEqual(failure);
    expect(await remember(call('a'), value(1)).answer).toMatchObject({ from: 'run' });
  });

  it('goes on for the others when the caller who came first is cancelled', async () => {
    let finish: (outcome: Outcome) => void = () => undefined;
    const cancel = new Cancellation();
    const first = remember(call('a'), new Promise((resolve) => (finish = resolve)), cancel);
    const second = remember(call('a'), value(9));
    cancel.cancel(new Error('enough'));
    expect(await first.answer).toMatchObject({ outcome: { status: 'CANCELLED' } });
    finish(value(5));
    expect(await second.answer).toMatchObject({ from: 'shared', outcome: { status: 'DONE' } });
  });

  it('cancels the run when its last caller is cancelled', async () => {
    let reason: Error | undefined;
    const cancels = [new Cancellation(), new Cancellation()];
    const answers = cancels.map((cancel) =>
      cache.remember(call('a'), {}, cancel, (shared) => {
        shared.onCancel((given) => (reason = given));
        return new Promise(() => undefined);
      }),
    );
    await Promise.resolve();
    cancels[0]?.cancel(new Error('first'));
    expect(reason).toBeUndefined();
    cancels[1]?.cancel(new Error('last'));
    await Promise.all(answers);
    // The run had not begun when its callers left: it never does.
    expect(await remember(call('a'), value(1)).answer).toMatchObject({ from: 'run' });
  });

  it.each(['QUEUE_TIMEOUT', 'TRANSPORT_CLOSED', 'WORKER_LOST', 'LIFECYCLE_CLOSED'] as const)(
    'has each who joined a run that ended with %s compute for itself, since that concerns its owner only',
    async (code) => {
      const failure: Outcome = {
        status: 'FAILED',
        error: { name: 'RoutineEngineError', message: code, code },
      };
      const [owner, ...joined] = [failure, failure, value(2)].map((outcome) => remember(call('a'), outcome));
      expect((await owner!.answer).outcome).toEqual(failure);
      expect((await joined[0]!.answer).outcome).toEqual(failure);
      expect(await joined[1]!.answer).toMatchObject({ from: 'run', outcome: { status: 'DONE' } });
      expect(joined.map(({ computed }) => computed())).toEqual([1, 1]);
    },
  );

  it('does not begin again for who was cancelled meanwhile', async () => {
    const failure: Outcome = { status: 'FAILED', error: { name: 'Error', message: '', code: 'WORKER_LOST' } };
    const cancel = new Cancellation();
    const owner = remember(call('a'), failure);
    const joined = remember(call('a'), value(1), cancel);
    cancel.cancel(new Error('enough'));
    await owner.answer;
    expect(await joined.answer).toMatchObject({ outcome: { status: 'CANCELLED' } });
    expect(joined.computed()).toBe(0);
  });

  it('lets a call that waits only so long for a worker have a run of its own, which others may join', async () => {
    const impatient = { ...call('a'), queueTimeoutMs: 5 };
    const first = remember(call('a'), new Promise<never>(() => undefined));
    const own = remember(impatient, value(2));
    expect(await own.answer).toMatchObject({ from: 'run' });
    expect(first.computed()).toBe(1);

    const alone = remember({ ...call('b'), queueTimeoutMs: 5 }, value(3));
    const joins = remember(call('b'), value(4));
    expect(await joins.answer).toMatchObject({ from: 'shared' });
    expect(await alone.answer).toMatchObject({ from: 'run' });
  });

  it('computes once for all who want a reference, though none can be had', async () => {
    cache = cacheOver(failing('put'));
    const owner = remember(call('a'), value(1));
    const joined = [1, 2, 3].map(() => remember({ ...call('a'), answer: 'reference' }, value(1)));
    for (const { answer } of [owner, ...joined]) await answer;
    expect(joined.map(({ computed }) => computed())).toEqual([1, 0, 0]);
  });

  it('gives what was kept first to everybody, and never a reference to it for another value', async () => {
    const valued = (byte: number): Outcome => ({ ...value(byte), node: Uint8Array.of(byte) }) as Outcome;
    const first = await cache.keep(call('a'), {}, valued(1));
    const asked = { ...call('a', 'run-2'), answer: 'reference' } as const;
    const second = await cache.keep(asked, {}, valued(2));
    expect(first).toMatchObject({ value: { head: Uint8Array.of(1) }, reference: { node: Uint8Array.of(1) } });
    expect(second).toMatchObject({
      rememberedIn: store.identity,
      value: { head: Uint8Array.of(1) },
      reference: { node: Buffer.of(1) },
    });
  });

  it('fails when computing throws', async () => {
    const thrown = remember(call('a'), Promise.reject(new RangeError('no')));
    expect(await thrown.answer).toMatchObject({
      outcome: { status: 'FAILED', error: { name: 'RangeError' } },
    });
  });

  it('computes again what was discarded', async () => {
    await remember(call('a'), value(1)).answer;
    await cache.discard(call('a'), {}, new Error('does not decode'));
    expect(events.at(-1)).toMatchObject({ type: 'store.corrupt', detail: 'does not decode' });
    expect(await remember(call('a'), value(2)).answer).toMatchObject({ from: 'run' });
  });

  it('counts a store that cannot be asked as a miss', async () => {
    cache = cacheOver(failing('get'));
    expect(await remember(call('a'), value(1)).answer).toMatchObject({
      from: 'run',
      outcome: { status: 'DONE' },
    });
    expect(events[0]).toMatchObject({
      type: 'store.failed',
      operation: 'get',
      error: { code: 'STORE_UNREACHABLE' },
    });
  });

  it('gives the value also when the store cannot keep it', async () => {
    cache = cacheOver(failing('put'));
    const { outcome } = await remember(call('a'), value(1)).answer;
    expect(outcome).toMatchObject({ status: 'DONE' });
    expect(outcome).not.toHaveProperty('rememberedIn');
    expect(events.at(-1)).toMatchObject({ type: 'store.failed', operation: 'put' });
  });
});
