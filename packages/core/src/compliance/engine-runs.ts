import assert from 'node:assert/strict';
import type { EngineEvent } from '../events/engine-event.js';
import type { EngineAbilities, EngineCase } from './engine-subject.js';
import { assertRejects } from './result-store-samples.js';

const TERMINAL = new Set<EngineEvent['type']>(['run.completed', 'run.failed', 'run.cancelled', 'run.cached']);
const remembers = (can: EngineAbilities): string | undefined =>
  can.remembers ? undefined : 'the composition remembers nothing';

export const engineMemoryCases: readonly EngineCase[] = [
  {
    id: 'engine/remembering/remembered',
    title: 'does not run a task again for the same arguments, and tells so',
    promise: 'remembered',
    needs: remembers,
    run: async ({ lifecycle, event, routines: { executed } }) => {
      const first = await lifecycle.run(() => executed('a'));
      assert.equal(await lifecycle.run(() => executed('a')), first);
      assert.notEqual(await lifecycle.run(() => executed('b')), first);
      await event('run.cached', 'compliance-executed');
    },
  },
  {
    id: 'engine/remembering/refreshed',
    title: 'runs a task again when it is asked to',
    promise: 'remembered',
    needs: remembers,
    run: async ({ lifecycle, routines: { executed } }) => {
      const first = await lifecycle.run(() => executed('a'));
      const second = await lifecycle.run(() => executed.with({ cache: 'refresh' })('a'));
      assert.notEqual(second, first);
      assert.equal(await lifecycle.run(() => executed('a')), second);
    },
  },
  {
    id: 'engine/remembering/shared',
    title: 'lets equal calls under way share one run',
    promise: 'shared-in-process',
    needs: remembers,
    run: async ({ lifecycle, routines: { executed } }) => {
      const calls = Array.from({ length: 20 }, () => lifecycle.run(() => executed('together')));
      assert.equal(new Set(await Promise.all(calls)).size, 1);
    },
  },
  {
    id: 'engine/remembering/not-remembered',
    title: 'runs workflows and failed tasks each time',
    promise: 'failures-not-remembered',
    run: async ({ lifecycle, routines: { executedAnew, failsAnew } }) => {
      assert.notEqual(await lifecycle.run(() => executedAnew()), await lifecycle.run(() => executedAnew()));
      const failure = (): Promise<string> =>
        lifecycle.run(() => failsAnew()).catch((error: unknown) => (error as Error).message);
      assert.notEqual(await failure(), await failure());
    },
  },
];

export const engineCancelCases: readonly EngineCase[] = [
  {
    id: 'engine/cancel/under-way',
    title: 'cancels a run that is under way, with its sub-runs',
    promise: 'cancel-reaches-children',
    run: async ({ lifecycle, event, routines: { waitsInside } }) => {
      const controller = new AbortController();
      const run = lifecycle.run(() => waitsInside.with({ signal: controller.signal })());
      const failed = assertRejects(run, 'RUN_CANCELLED');
      await event('run.starting', 'compliance-waits');
      controller.abort(new Error('no longer wanted'));
      await failed;
      await event('run.cancelled', 'compliance-waits-inside');
      await event('run.cancelled', 'compliance-waits');
    },
  },
  {
    id: 'engine/cancel/before',
    title: 'runs nothing when the signal was aborted before',
    promise: 'settles-once',
    run: async ({ lifecycle, events, routines: { waits } }) => {
      const signal = AbortSignal.abort(new Error('never wanted'));
      await assertRejects(
        lifecycle.run(() => waits.with({ signal })()),
        'RUN_CANCELLED',
      );
      assert.ok(!events.some(({ type }) => type === 'run.starting'), 'it was started');
    },
  },
  {
    id: 'engine/cancel/timed-out',
    title: 'ends a run that takes longer than it may',
    promise: 'settles-once',
    run: async ({ lifecycle, routines: { waits } }) => {
      await assertRejects(
        lifecycle.run(() => waits.with({ timeoutMs: 50 })()),
        'RUN_TIMEOUT',
      );
    },
  },
  {
    id: 'engine/cancel/by-handle',
    title: 'cancels a submitted run by its handle',
    promise: 'cancelled-by-id',
    run: async ({ lifecycle, event, routines: { waits } }) => {
      const handle = lifecycle.run(() => waits.submit());
      const failed = assertRejects(handle.result(), 'RUN_CANCELLED');
      await event('run.starting', 'compliance-waits');
      handle.cancel(new Error('no longer wanted'));
      await failed;
    },
  },
];

export const engineEventCases: readonly EngineCase[] = [
  {
    id: 'engine/events/ordered',
    title: 'tells the events of a run in order',
    promise: 'events-in-order',
    run: async ({ lifecycle, events, routines: { reports } }) => {
      const { runId, routineId, attempt } = await lifecycle.run(() => reports());
      assert.match(runId, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
      assert.equal(routineId, 'tname:compliance:compliance-reports:1.0.0');
      assert.equal(attempt, 1);
      const told = events.flatMap((each) => ('runId' in each && each.runId === runId ? [each.type] : []));
      assert.deepEqual(
        told.filter((type) => type !== 'run.dispatched' && type !== 'run.waiting'),
        ['run.requested', 'run.starting', 'run.progress', 'run.log', 'run.progress', 'run.completed'],
      );
    },
  },
  {
    id: 'engine/events/one-terminal',
    title: 'tells exactly one end of each run, as its last event, however it ends',
    promise: 'events-in-order',
    run: async ({ lifecycle, events, routines: { total, failing, waits, descend } }) => {
      const signal = AbortSignal.abort();
      await Promise.allSettled([
        lifecycle.run(() => total([1, 2, 3])),
        lifecycle.run(() => descend(5)),
        lifecycle.run(() => failing(1)),
        lifecycle.run(() => waits.with({ timeoutMs: 30 })()),
        lifecycle.run(() => waits.with({ signal })()),
      ]);
      const byRun = new Map<string, EngineEvent[]>();
      for (const each of events) {
        if (!('runId' in each) || !each.type.startsWith('run.')) continue;
        byRun.set(String(each.runId), [...(byRun.get(String(each.runId)) ?? []), each]);
      }
      for (const [runId, told] of byRun) {
        const ends = told.filter(({ type }) => TERMINAL.has(type));
        const types = told.map(({ type }) => type).join(', ');
        assert.equal(ends.length, 1, `${runId}: ${types}`);
        assert.equal(told.at(-1), ends[0], `${runId}: ${types}`);
      }
    },
  },
];

export const engineTreeCases: readonly EngineCase[] = [
  {
    id: 'engine/trees/deep',
    title: 'finishes workflows that are nested 30 deep',
    promise: 'slot-given-back',
    run: async ({ lifecycle, routines: { descend } }) => {
      assert.equal(await lifecycle.run(() => descend(30)), 30);
    },
  },
  {
    id: 'engine/trees/wide',
    title: 'finishes a tree of workflows',
    promise: 'slot-given-back',
    run: async ({ lifecycle, routines: { tree } }) => assert.equal(await lifecycle.run(() => tree(4)), 16),
  },
  {
    id: 'engine/trees/mapped',
    title: 'maps two hundred items in order, a few at a time',
    promise: 'map-bounded',
    run: async ({ lifecycle, routines: { double } }) => {
      const items = Array.from({ length: 200 }, (_, at) => at);
      const doubled: number[] = [];
      await lifecycle.run(async () => {
        for await (const outcome of double.map(items, { concurrency: 8 })) doubled.push(outcome);
      });
      assert.deepEqual(
        doubled,
        items.map((item) => 2 * item),
      );
    },
  },
];
