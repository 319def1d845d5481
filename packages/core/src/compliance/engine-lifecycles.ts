import assert from 'node:assert/strict';
import type { EngineCase } from './engine-subject.js';
import { comesTrue } from './turns.js';

/** How often a lifecycle is opened and closed: what leaks each time is told from what others open meanwhile. */
const ROUNDS = 3;

export const engineLifecycleCases: readonly EngineCase[] = [
  {
    id: 'engine/lifecycles/nothing-in-hand',
    title: 'has no run in hand when all calls have settled',
    promise: 'settles-once',
    run: async ({ lifecycle, routines: { total, failing } }) => {
      await lifecycle.run(() => total([1, 2]));
      await lifecycle.run(() => failing(1)).catch(() => undefined);
      assert.deepEqual([...lifecycle.engine.current], []);
    },
  },
  {
    id: 'engine/lifecycles/settles-at-shutdown',
    title: 'settles every call in hand when it shuts down',
    promise: 'settles-once',
    run: async ({ lifecycle, event, routines: { waits, waitsInside } }) => {
      const calls = [lifecycle.run(() => waits()), lifecycle.run(() => waitsInside())];
      const settled = Promise.allSettled(calls);
      await event('run.starting', 'compliance-waits');
      await lifecycle.shutdown();
      for (const { status } of await settled) assert.equal(status, 'rejected');
    },
  },
  {
    id: 'engine/lifecycles/closed',
    title: 'shuts down once, however often it is asked, and takes no calls after',
    promise: 'settles-once',
    run: async ({ lifecycle, routines: { add } }) => {
      await Promise.all([lifecycle.shutdown(), lifecycle.shutdown()]);
      await lifecycle.shutdown();
      await assert.rejects(lifecycle.run(() => add(1, 2)));
    },
  },
  {
    id: 'engine/lifecycles/events-complete',
    title: 'completes its events and its status at shutdown, without an error',
    promise: 'parts-in-order',
    run: async ({ lifecycle, routines: { add } }) => {
      const told: string[] = [];
      const telling = (name: string): { error: () => void; complete: () => void } => ({
        error: () => told.push(`${name} failed`),
        complete: () => told.push(name),
      });
      lifecycle.events$.subscribe(telling('events'));
      lifecycle.engine.status$.subscribe(telling('status'));
      await lifecycle.run(() => add(1, 2));
      assert.deepEqual(told, []);
      await lifecycle.shutdown();
      assert.deepEqual(new Set(told), new Set(['events', 'status']));
    },
  },
  {
    id: 'engine/lifecycles/apart',
    title: 'tells nothing of the runs of another lifecycle',
    promise: 'lifecycles-apart',
    run: async ({ lifecycle, events, open, routines: { add } }) => {
      const other = await open();
      const before = events.filter(({ type }) => type.startsWith('run.')).length;
      assert.equal(await other.run(() => add(20, 3)), 23);
      const after = events.filter(({ type }) => type.startsWith('run.')).length;
      assert.equal(after, before);
      assert.equal(await lifecycle.run(() => add(20, 4)), 24);
    },
  },
  {
    id: 'engine/lifecycles/leaks',
    title: 'leaves no handle, thread or timer that keeps the process when it was shut down',
    promise: 'parts-in-order',
    run: async ({ open, routines: { total } }) => {
      const once = async (): Promise<void> => {
        const lifecycle = await open();
        await lifecycle.run(() => total([1, 2, 3]));
        await lifecycle.shutdown();
      };
      // The first time also makes what is made once in a process.
      await once();
      const before = process.getActiveResourcesInfo();
      for (let round = 0; round < ROUNDS; round += 1) await once();
      await comesTrue(() => process.getActiveResourcesInfo().length < before.length + ROUNDS);
      const after = process.getActiveResourcesInfo();
      assert.ok(
        after.length < before.length + ROUNDS,
        `before ${before.join(', ')}; now ${after.join(', ')}`,
      );
    },
  },
];
