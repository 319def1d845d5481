import { beforeEach, describe, expect, it } from 'vitest';
import { Cancellation } from '../../src/context/cancellation.js';
import { ActiveRuns, type ActiveRun } from '../../src/engine/active-runs.js';

let runs: ActiveRuns;
let run: ActiveRun;
let seen: string[];

beforeEach(() => {
  runs = new ActiveRuns();
  seen = [];
  runs.status$.subscribe({ next: (status) => seen.push(status), complete: () => seen.push('over') });
  const cancellation = new Cancellation();
  run = { runId: 'run-1', routineId: 'wfname:test:best', cancellation, status: 'RUNNING', waitsFor: [] };
});

describe('closing the runs in hand', () => {
  it('ends when the last is over, for everybody who asks', async () => {
    runs.add(run);
    const closing = [runs.close('one'), runs.close('two')];
    expect(run.cancellation.reason).toMatchObject({ message: expect.stringContaining('one shuts down') });
    runs.remove(run);
    await Promise.all([...closing, runs.close('three')]);
    expect(seen).toEqual(['IDLE', 'WORKING', 'TERMINATING', 'over']);
  });

  it('ends at once when there is none', async () => {
    await Promise.all([runs.close('one'), runs.close('two')]);
    expect(seen).toEqual(['IDLE', 'TERMINATING', 'over']);
  });

  it('may be asked for by who hears of it', async () => {
    runs.add(run);
    run.cancellation.onCancel(() => {
      expect(runs.closed).toBe(true);
      void runs.close('again');
      runs.remove(run);
    });
    await runs.close('one');
    expect(seen.at(-1)).toBe('over');
  });
});
