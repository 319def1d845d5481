import { beforeEach, describe, expect, it } from 'vitest';
import { Contents } from '../../src/cache/contents.js';
import { Cancellation } from '../../src/context/cancellation.js';
import { Dispatcher, type DispatchObserver } from '../../src/dispatch/dispatcher.js';
import { ServiceLink } from '../../src/dispatch/service-link.js';
import type { EngineEvent } from '../../src/events/engine-event.js';
import { EventFeed } from '../../src/events/event-feed.js';
import { bodyOf, type Body } from '../../src/model/body.js';
import { LIMITS } from '../../src/model/limits.js';
import type { Outcome } from '../../src/model/outcome.js';
import { ScriptedService } from '../support/scripted-service.js';
import { memorySpool, sharedStore } from '../support/shared-store.js';
import { UnreadBody } from '../support/unread-body.js';

let service: ScriptedService;
let link: ServiceLink;
let dispatcher: Dispatcher;
let cancellation: Cancellation;
let outcome: Promise<Outcome>;
let heard: string[];

beforeEach(async () => {
  service = new ScriptedService();
  cancellation = new Cancellation();
  heard = [];
  link = new ServiceLink(service.parts());
  const { turns } = service;
  const feed = new EventFeed<EngineEvent>();
  const store = sharedStore('x', turns);
  const contents = new Contents({ store, spool: memorySpool(), clock: turns, feed, node: 'client' });
  dispatcher = new Dispatcher(link, contents);
  const opened = link.open();
  await service.welcome();
  await opened;
  outcome = dispatch('run-1');
});

function observer(): DispatchObserver {
  const nothing = (): void => undefined;
  return {
    ...{ waiting: nothing, retrying: nothing, progress: nothing, log: nothing },
    accepted: () => void heard.push('accepted'),
    starting: (attempt, worker) => void heard.push(`${attempt} on ${worker}`),
  };
}

function dispatch(runId: string): Promise<Outcome> {
  const call = { runId, rootRunId: runId, routineId: 'tname:t:t:1.0.0', attempt: 1 };
  const args = { head: new Uint8Array([1]), buffers: [new Uint8Array(1_000_000)] };
  return dispatcher.dispatch({ ...call, arguments: args }, observer(), cancellation);
}

function completed(runId: string, body: Body): Promise<void> {
  const run = { runId, attempt: 1, lease: 0, durationMs: 1 };
  return service.say({ type: 'v1.routine.completed', ...run }, body);
}

/** The run ids of what was acknowledged over the latest connection. */
const acknowledged = (): unknown[] =>
  service.heard
    .filter(({ type }) => type === 'v1.routine.ack')
    .flatMap(({ runs }) => (runs as { runId: string }[]).map(({ runId }) => runId));

/** Loses the connection, and has the service answer the next. */
async function reconnect(): Promise<void> {
  await service.connection.close();
  await service.turns.advance(LIMITS.redialMostMs);
  await service.welcome();
}

describe('a call that was dispatched', () => {
  it('goes over by reference where nodes share memory, however large it is', () => {
    const { header, body } = service.connection.sent.at(-1) ?? {};
    expect(header).toMatchObject({ type: 'v1.routine.request_start', store: undefined, blobs: undefined });
    expect(body?.value?.buffers[0]?.byteLength).toBe(1_000_000);
  });

  it('gives up the bytes of its result when it is cancelled', async () => {
    const body = new UnreadBody();
    await completed('run-1', body);
    cancellation.cancel(new Error('enough'));
    expect((await outcome).status).toBe('CANCELLED');
    expect(body.isGivenUp).toBe(true);
  });

  it('takes a later result in place of one that does not come to its end', async () => {
    const body = new UnreadBody();
    await completed('run-1', body);
    await completed('run-1', bodyOf({ head: new Uint8Array([7]), buffers: [] }));
    expect(await outcome).toMatchObject({ status: 'DONE', value: { head: new Uint8Array([7]) } });
    expect(body.isGivenUp).toBe(true);
  });

  it('is known to have begun by a result that names its worker, unless that was told before', async () => {
    const body = bodyOf({ head: new Uint8Array([7]), buffers: [] });
    const run = { attempt: 1, lease: 0, durationMs: 1 };
    const named = { type: 'v1.routine.completed', ...run, worker: 'worker-7' };
    await service.say({ ...named, runId: 'run-1' }, body);
    expect((await outcome).status).toBe('DONE');
    expect(heard).toEqual(['1 on worker-7']);
    const other = dispatch('run-2');
    await service.say({ type: 'v1.routine.starting', ...run, runId: 'run-2', worker: 'worker-7' });
    await service.say({ ...named, runId: 'run-2' }, body);
    expect((await other).status).toBe('DONE');
    expect(heard).toEqual(['1 on worker-7', '1 on worker-7']);
  });

  it('is acknowledged when its outcome is whole, and not before', async () => {
    await completed('run-1', new UnreadBody());
    expect(acknowledged()).toEqual([]);
    await completed('run-1', bodyOf({ head: new Uint8Array([7]), buffers: [] }));
    await outcome;
    expect(acknowledged()).toEqual(['run-1']);
  });
});

it('a run of another node is asked for again over each new connection, and never requested', async () => {
  const observed = dispatcher.observe(
    { runId: 'run-7', rootRunId: 'run-7', routineId: 'tname:t:t:1.0.0' },
    observer(),
  );
  const asked = (): unknown[] =>
    service.heard.filter(({ runId }) => runId === 'run-7').map(({ type }) => type);
  expect(asked()).toEqual(['v1.routine.observe']);
  await reconnect();
  expect(asked()).toEqual(['v1.routine.observe']);
  await completed('run-7', bodyOf({ head: new Uint8Array([7]), buffers: [] }));
  expect(await observed).toMatchObject({ status: 'DONE', value: { head: new Uint8Array([7]) } });
});

it('the result of a run that nobody waits for is given up, and acknowledged', async () => {
  const body = new UnreadBody();
  await completed('run-2', body);
  expect(body.isGivenUp).toBe(true);
  expect(acknowledged()).toEqual(['run-2']);
});

describe('a call whose connection is lost', () => {
  const starting = { type: 'v1.routine.starting', runId: 'run-1', attempt: 3, lease: 0, worker: 'worker-7' };

  it('is asked for again without its arguments, and settles when its outcome comes', async () => {
    await reconnect();
    expect(service.heard.map(({ type }) => type)).toEqual([
      ...['hello', 'v1.routine.request_start', 'v1.node.resynced'],
    ]);
    const { header, body } = service.connection.sent.at(-2) ?? {};
    expect(header).toMatchObject({ type: 'v1.routine.request_start', runId: 'run-1', resumed: true });
    expect(header?.['startedOn']).toBeUndefined();
    expect(body).toBeUndefined();
    await completed('run-1', bodyOf({ head: new Uint8Array([7]), buffers: [] }));
    expect(await outcome).toMatchObject({ status: 'DONE' });
    await reconnect();
    expect(service.heard.map(({ type }) => type)).toEqual(['hello', 'v1.node.resynced']);
  });

  it('says where it began, and tells of it once', async () => {
    await service.say(starting);
    await reconnect();
    expect(service.heard.at(-2)).toMatchObject({ resumed: true, startedOn: 'worker-7', attempt: 3 });
    await service.say(starting);
    expect(heard).toEqual(['3 on worker-7']);
    await service.say({ ...starting, worker: 'worker-8' });
    expect(heard).toEqual(['3 on worker-7', '3 on worker-8']);
  });

  it('sends its arguments again when the service has them no more', async () => {
    await reconnect();
    await service.say({ type: 'v1.routine.resend', runId: 'run-1', attempt: 1, lease: 0, inline: false });
    const { header, body } = service.connection.sent.at(-1) ?? {};
    expect(header?.['resumed']).toBeUndefined();
    expect(body?.byteLength).toBe(1_000_001);
  });

  it('is sent as it is when it was called while there was no connection', async () => {
    await service.connection.close();
    const second = dispatch('run-2');
    await service.turns.advance(LIMITS.redialMostMs);
    await service.welcome();
    const sent = service.connection.sent.filter(({ header }) => header['runId'] === 'run-2');
    expect(sent).toMatchObject([
      { header: { type: 'v1.routine.request_start' }, body: { byteLength: 1_000_001 } },
    ]);
    expect(sent[0]?.header['resumed']).toBeUndefined();
    await completed('run-2', bodyOf({ head: new Uint8Array([7]), buffers: [] }));
    expect(await second).toMatchObject({ status: 'DONE' });
  });

  it('gives up what it had of its result, and takes it from the start', async () => {
    const cut = new UnreadBody();
    await completed('run-1', cut);
    await reconnect();
    expect(acknowledged()).toEqual([]);
    await completed('run-1', bodyOf({ head: new Uint8Array([7]), buffers: [] }));
    expect(await outcome).toMatchObject({ status: 'DONE', value: { head: new Uint8Array([7]) } });
    expect(cut.isGivenUp).toBe(true);
  });

  it('fails when the service is not reached again, and gives up the bytes of its result', async () => {
    const body = new UnreadBody();
    await completed('run-1', body);
    service.isReachable = false;
    await service.connection.close();
    for (let passed = 0; passed <= LIMITS.reconnectForMs; passed += LIMITS.redialMostMs)
      await service.turns.advance(LIMITS.redialMostMs);
    expect(await outcome).toMatchObject({ status: 'FAILED', error: { code: 'TRANSPORT_CLOSED' } });
    expect(body.isGivenUp).toBe(true);
    expect(await dispatch('run-2')).toMatchObject({ status: 'FAILED', error: { code: 'TRANSPORT_CLOSED' } });
  });

  it('is not asked for again when it was cancelled', async () => {
    cancellation.cancel(new Error('enough'));
    await outcome;
    await reconnect();
    expect(service.heard.map(({ type }) => type)).toEqual(['hello', 'v1.node.resynced']);
  });
});
