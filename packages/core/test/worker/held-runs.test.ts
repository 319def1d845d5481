import { describe, expect, it } from 'vitest';
import type { Directive } from '../../src/protocol/directives.js';
import { HeldRuns } from '../../src/worker/held-runs.js';
import { WorkerRun, type WorkerRunParts } from '../../src/worker/worker-run.js';

const posted: Directive[] = [];
const parts = {
  worker: 'worker',
  link: { post: (directive: Directive) => void posted.push(directive) },
} as unknown as WorkerRunParts;

const attempt = (number: number): WorkerRun =>
  new WorkerRun(
    {
      ...{
        type: 'v1.routine.request_start',
        runId: 'run-1',
        rootRunId: 'run-1',
        routineId: 'tname:t:t:1.0.0',
      },
      ...{ attempt: number, lease: 10 * number },
    },
    parts,
  );

describe('a run that is given to a worker while an earlier attempt of it is in hand', () => {
  it('begins when that is over, which is given up', () => {
    const held = new HeldRuns();
    const begun: number[] = [];
    const [first, second, third] = [attempt(1), attempt(2), attempt(3)];
    held.take(first, () => begun.push(1));
    held.take(second, () => begun.push(2));
    held.take(third, () => begun.push(3));
    expect([first, second, third].map(({ cancel }) => cancel.reason !== undefined)).toEqual([
      true,
      true,
      false,
    ]);
    expect(begun).toEqual([1]);
    held.release(first);
    expect(begun).toEqual([1, 2]);
    held.release(second);
    expect(begun).toEqual([1, 2, 3]);
    expect(held.running).toBe(1);
  });

  it('may be taken again when all of it is over', () => {
    const held = new HeldRuns();
    const begun: number[] = [];
    const first = attempt(1);
    held.take(first, () => begun.push(1));
    held.release(first);
    held.take(attempt(2), () => begun.push(2));
    expect(begun).toEqual([1, 2]);
  });
});

describe('the outcome of a run', () => {
  const error = { name: 'Error', message: 'no' };

  it('is kept until it is not needed any more, and told again word for word', () => {
    const held = new HeldRuns();
    const run = attempt(1);
    held.take(run, () => run.fail(error, 'no', false));
    held.release(run);
    const [told] = posted.splice(0);
    held.kept(10)?.reportAgain();
    expect(posted.splice(0)).toEqual([told]);
    held.forget(10);
    expect(held.kept(10)).toBeUndefined();
  });

  it('is not kept when the run is to be placed elsewhere, nor when it is cancelled afterwards', () => {
    const held = new HeldRuns();
    const [lost, cancelled] = [attempt(1), attempt(2)];
    for (const run of [lost, cancelled]) held.take(run, () => undefined);
    lost.fail(error, 'lost', false);
    cancelled.fail(error, 'no', false);
    held.release(lost);
    held.release(cancelled);
    held.cancel(20, new Error('stale'));
    expect([held.kept(10), held.kept(20)]).toEqual([undefined, undefined]);
  });
});
