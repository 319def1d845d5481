import { beforeEach, describe, expect, it } from 'vitest';
import { Cancellation } from '../../src/context/cancellation.js';
import { ActiveRuns, type ActiveRun } from '../../src/engine/active-runs.js';
import { Turns } from '../protocol/memory-pipe.js';

let runs: ActiveRuns;
let run: ActiveRun;
let seen: string[];

beforeEach(() => {
  runs = new ActiveRuns();
  seen = [];
  runs.status$.subscribe({ next: (status) => seen.push(status), complete: () => seen.push('over') });
  const cancellation = new Cancellation();
  run = {
    ...{ runId: 'run-1', rootRunId: 'run-1', routineId: 'wfname:test:best', attempt: 1 },
    ...{ cancellation, status: 'RUNNING', waitsFor: [], onStatus: undefined },
  };
});

describe('closing the runs in hand', () => {
  it('ends when the last is over, for everybody who asks', async () => {
    runs.add(run);
    const closing = [runs.close('one', 'leave'), runs.close('two', 'leave')];
    expect(run.cancellation.reason).toMatchObject({ message: expect.stringContaining('one shuts down') });
    runs.remove(run);
    await Promise.all([...closing, runs.close('three', 'leave')]);
    expect(seen).toEqual(['IDLE', 'WORKING', 'TERMINATING', 'over']);
  });

  it('ends at once when there is none', async () => {
    await Promise.all([runs.close('one', 'leave'), runs.close('two', 'leave')]);
    expect(seen).toEqual(['IDLE', 'TERMINATING', 'over']);
  });

  it('may be asked for by who hears of it', async () => {
    runs.add(run);
    run.cancellation.onCancel(() => {
      expect(runs.closed).toBe(true);
      void runs.close('again', 'leave');
      runs.remove(run);
    });
    await runs.close('one', 'leave');
    expect(seen.at(-1)).toBe('over');
  });
});

describe('the runs of triggers, when their engine closes', () => {
  const runOf = (runId: string, more: Partial<ActiveRun>): ActiveRun => ({
    ...run,
    ...{ runId, cancellation: new Cancellation(), ...more },
  });

  it('go on, with what they call, until they are late', async () => {
    const clock = new Turns();
    const handler = runOf('handler', { triggeredBy: 'run-1', triggerDepth: 1 });
    const called = runOf('called', { triggerDepth: 1 });
    for (const each of [run, handler, called]) runs.add(each);
    const closing = runs.close('it', { finishWithinMs: 100, clock });
    expect(run.cancellation.reason).toBeDefined();
    expect([handler, called].map(({ cancellation }) => cancellation.reason)).toEqual([undefined, undefined]);
    expect([runs.refuses(undefined), runs.refuses(1)]).toEqual([true, false]);
    for (const each of [run, called]) runs.remove(each);
    await clock.advance(100);
    expect(handler.cancellation.reason).toMatchObject({ message: expect.stringContaining('it shuts down') });
    expect(runs.refuses(1)).toBe(true);
    runs.remove(handler);
    await closing;
  });

  it('are left to the service, but what they call is cancelled with its caller', async () => {
    const left: string[] = [];
    const handler = runOf('handler', {
      triggeredBy: 'run-1',
      triggerDepth: 1,
      leave: () => left.push('handler'),
    });
    const called = runOf('called', { triggerDepth: 1, leave: () => left.push('called') });
    for (const each of [handler, called]) runs.add(each);
    const closing = runs.close('it', 'leave');
    expect(left).toEqual(['handler']);
    expect(handler.cancellation.reason).toBeUndefined();
    expect(called.cancellation.reason).toBeDefined();
    expect([runs.left, runs.refuses(1)]).toEqual([true, true]);
    runs.remove(called);
    await closing;
  });
});
