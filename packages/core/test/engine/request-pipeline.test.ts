import { beforeEach, describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/cache/memory-store.js';
import { ResultCache } from '../../src/cache/result-cache.js';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { Cancellation } from '../../src/context/cancellation.js';
import type { Dispatcher } from '../../src/dispatch/dispatcher.js';
import { ActiveRuns } from '../../src/engine/active-runs.js';
import { PurityCheck } from '../../src/engine/purity-check.js';
import { RequestPipeline, type RequestPipelineParts } from '../../src/engine/request-pipeline.js';
import { TriggerTable } from '../../src/engine/trigger-table.js';
import type { TriggeredRuns } from '../../src/engine/triggered-runs.js';
import { RunEvents } from '../../src/engine/run-events.js';
import type { EngineEvent } from '../../src/events/engine-event.js';
import { EventFeed } from '../../src/events/event-feed.js';
import { systemClock as clock } from '../../src/lifecycle/platform/system-clock.js';
import { uuidIds } from '../../src/lifecycle/platform/uuid-ids.js';
import type { EncodedCall } from '../../src/model/call.js';
import type { Outcome } from '../../src/model/outcome.js';
import { everythingHere } from '../../src/policy/execution-policies.js';
import { contentsOver } from '../support/contents.js';

const call: EncodedCall = {
  ...{ runId: 'run-1', rootRunId: 'run-1', routineId: 'tname:test:train:1.0.0', attempt: 1 },
  ...{ arguments: { head: new Uint8Array(), buffers: [] }, argumentsDigest: 'digest' },
};
const done: Outcome = { status: 'DONE', value: { head: new Uint8Array([1]), buffers: [] }, durationMs: 1 };
const fails = (message: string) => (): never => {
  throw new RangeError(message);
};

let events: string[];
let active: ActiveRuns;
let parts: RequestPipelineParts;

beforeEach(() => {
  const feed = new EventFeed<EngineEvent>();
  events = [];
  feed.events$.subscribe((event) => events.push(event.type));
  active = new ActiveRuns();
  const store = new MemoryStore({ id: 'test', clock, node: 'test' });
  const contents = contentsOver(store, feed);
  parts = {
    cache: new ResultCache({ store, contents, codec: new MsgpackrCodec(), clock, feed, node: 'test' }),
    contents,
    ids: uuidIds,
    clock,
    random: { next: fails('unused') },
    purity: new PurityCheck({
      ...{ codec: new MsgpackrCodec(), contents, ids: uuidIds, clock, feed, node: 'test' },
      ...{ random: { next: fails('unused') }, logger: { log: fails('unused') } },
    }),
    policy: everythingHere,
    executor: { execute: () => Promise.resolve(done), close: () => Promise.resolve() },
    dispatcher: { dispatch: () => Promise.resolve(done) } as unknown as Dispatcher,
    catalog: { list: () => [], triggers: [], find: fails('unused'), get: () => undefined },
    events: new RunEvents({ feed, clock, node: 'test' }),
    active,
    triggers: new TriggerTable(() => []),
    triggered: { answer: fails('unused') } as unknown as TriggeredRuns,
    onlyNested: false,
  };
});

describe('a request', () => {
  it('is answered', async () => {
    const answer = await new RequestPipeline(parts).request(call, new Cancellation());
    expect(answer).toMatchObject({ from: 'run', outcome: { status: 'DONE' } });
    expect(active.current).toEqual([]);
  });

  it.each<[string, (parts: RequestPipelineParts) => Partial<RequestPipelineParts>]>([
    ['the policy throws', () => ({ policy: { name: 'bad', decide: fails('no') } })],
    ['the catalog throws', ({ catalog }) => ({ catalog: { ...catalog, get: fails('no') } })],
    [
      'the executor throws',
      ({ executor }) => ({ cache: undefined, executor: { ...executor, execute: fails('no') } }),
    ],
    [
      'the executor rejects',
      ({ executor }) => ({
        cache: undefined,
        executor: { ...executor, execute: () => Promise.reject(new RangeError('no')) },
      }),
    ],
  ])('fails, with an outcome and a terminal event, when %s', async (_, broken) => {
    const pipeline = new RequestPipeline({ ...parts, ...broken(parts) });
    const { outcome } = await pipeline.request(call, new Cancellation());
    expect(outcome).toMatchObject({ status: 'FAILED', error: { name: 'RangeError', message: 'no' } });
    expect(events).toEqual(['run.requested', 'run.failed']);
    expect(active.current).toEqual([]);
    await active.close('the test', 'leave');
  });
});
