import { beforeEach, describe, expect, it } from 'vitest';
import { Contents } from '../../src/cache/contents.js';
import { ServiceLink } from '../../src/dispatch/service-link.js';
import type { RemoteDispatchEngine } from '../../src/engine/remote-dispatch-engine.js';
import type { EngineEvent } from '../../src/events/engine-event.js';
import { EventFeed } from '../../src/events/event-feed.js';
import type { Outcome } from '../../src/model/outcome.js';
import { Beginnings } from '../../src/worker/beginnings.js';
import { WorkerRun } from '../../src/worker/worker-run.js';
import { ScriptedService } from '../support/scripted-service.js';
import { memorySpool, sharedStore } from '../support/shared-store.js';

const DONE: Outcome = {
  ...{ status: 'DONE', value: { head: new Uint8Array([7]), buffers: [] }, reference: undefined },
  ...{ node: undefined, durationMs: 0.5, rememberedIn: undefined },
};
const FAILED: Outcome = { status: 'FAILED', error: { name: 'Error', message: 'no' } };

let service: ScriptedService;
let run: WorkerRun;

beforeEach(async () => {
  service = new ScriptedService();
  const { turns } = service;
  const link = new ServiceLink({ ...service.parts(), role: 'worker' });
  const opened = link.open();
  await service.welcome();
  await opened;
  const feed = new EventFeed<EngineEvent>();
  const store = sharedStore('x', turns);
  run = new WorkerRun(
    {
      ...{ type: 'v1.routine.request_start', runId: 'run-1', rootRunId: 'run-1', attempt: 2, lease: 5 },
      routineId: 'tname:t:t:1.0.0',
    },
    {
      ...{ worker: 'worker-7', link, onHanging: () => undefined, beginnings: new Beginnings(turns) },
      contents: new Contents({ store, spool: memorySpool(), clock: turns, feed, node: 'worker-7' }),
      // Asked only by bodies that call others.
      engine: undefined as unknown as RemoteDispatchEngine,
    },
  );
});

/** What the service heard of the run: the type of each directive, and the worker that it names. */
const heard = (): string[] =>
  service.heard
    .filter(({ runId }) => runId === 'run-1')
    .map(({ type, worker }) => [String(type).slice('v1.routine.'.length), worker].join(' ').trim());

const report = (outcome: Outcome): void => void run.report(outcome, () => false);

describe('that a body began', () => {
  it('is told by its result, when that comes in the same turn', async () => {
    run.starting();
    report(DONE);
    expect(heard()).toEqual(['completed worker-7']);
    await service.turns.settle();
    expect(heard()).toEqual(['completed worker-7']);
  });

  it('is told at the end of the turn, when its result comes later', async () => {
    run.starting();
    expect(heard()).toEqual([]);
    await service.turns.settle();
    expect(heard()).toEqual(['starting worker-7']);
    report(DONE);
    expect(heard()).toEqual(['starting worker-7', 'completed']);
  });

  it.each([
    ['it waits for a sub-run', 'hanging', () => run.hanging(true)],
    ['it tells how far it is', 'progress', () => run.progress(1, 2)],
    ['it fails', 'failed', () => report(FAILED)],
  ])('is told first, when in the same turn %s', async (_, type, then) => {
    run.starting();
    then();
    await service.turns.settle();
    expect(heard()).toEqual(['starting worker-7', type]);
  });

  it('is told of no run that was over before', async () => {
    report(FAILED);
    await service.turns.settle();
    expect(heard()).toEqual(['failed']);
  });
});
