import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import type { EngineEvent, RunEvent } from '@routine-engine/core';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { noteOf, progressText } from '../src/progress/progress-text.js';
import { RunCounts } from '../src/progress/run-counts.js';
import { showProgress } from '../src/progress/show-progress.js';

type Told = Pick<RunEvent, 'type'> & Readonly<Record<string, unknown>>;

function event(runId: string, routineId: string, more: Told): EngineEvent {
  return {
    at: 0,
    node: 'client',
    runId,
    rootRunId: runId,
    routineId,
    attempt: 1,
    ...more,
  } as unknown as EngineEvent;
}

function counted(...events: readonly EngineEvent[]): string {
  const counts = new RunCounts();
  for (const each of events) counts.take(each);
  return progressText(counts.routines, 1_500);
}

const requested: Told = { type: 'run.requested' };
const starting: Told = { type: 'run.starting' };

describe('progress', () => {
  it('counts what the runs of each routine do, in the order of their first calls', () => {
    const text = counted(
      event('a', 'wfname:p:sweep', requested),
      event('a', 'wfname:p:sweep', starting),
      event('b', 'tname:p:fit:1.0.0', requested),
      event('c', 'tname:p:fit:1.0.0', requested),
      event('d', 'tname:p:fit:1.0.0', requested),
      event('a', 'wfname:p:sweep', { type: 'run.hanging' }),
      event('b', 'tname:p:fit:1.0.0', { type: 'run.cached' }),
      event('c', 'tname:p:fit:1.0.0', starting),
      event('c', 'tname:p:fit:1.0.0', { type: 'run.progress', done: 1, total: 4 }),
    );
    expect(text).toBe(
      'wfname:p:sweep     1 hanging\n' +
        'tname:p:fit:1.0.0  1 waiting, 1 running, 1 cached, 25 % of one\n1.5 s',
    );
  });

  it('forgets runs that are over but for their number', () => {
    const fit = 'tname:p:fit:1.0.0';
    const once = [
      requested,
      starting,
      { type: 'run.progress', done: 9, total: 3 },
      { type: 'run.completed' },
    ] as Told[];
    const events = Array.from({ length: 1_000 }, (_, n) =>
      once.map((each) => event(`r${n}`, fit, each)),
    ).flat();
    expect(counted(...events)).toBe(`${fit}  1000 done\n1.5 s`);
    // What comes after the last event of a run is of no run that is known.
    expect(counted(event('x', fit, { type: 'run.completed' }))).toBe('1.5 s');
  });

  it('shows the first of many routines', () => {
    const events = Array.from({ length: 25 }, (_, n) => event(`r${n}`, `wfname:p:w${n}`, requested));
    expect(counted(...events)).toMatch(/wfname:p:w19 +1 waiting\nand 5 more routines\n1\.5 s$/);
  });

  it.each<[Told, string | undefined]>([
    [
      { type: 'run.log', level: 'info', message: 'half\u001b[2J done' },
      'wfname:p:w info: half\ufffd[2J done',
    ],
    [{ type: 'run.waiting', detail: 'no worker offers it' }, 'wfname:p:w waits: no worker offers it'],
    [{ type: 'run.retrying', error: { message: 'broken' } }, 'wfname:p:w is run again (attempt 1): broken'],
    [requested, undefined],
  ])('notes of %j', (told, note) => {
    expect(noteOf(event('a', 'wfname:p:w', told))).toBe(note);
  });

  it('is drawn on a terminal and cleared in the end; elsewhere there are notes alone', () => {
    const shown = (isTTY: boolean): string => {
      const events$ = new Subject<EngineEvent>();
      const stream = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 });
      const end = showProgress(events$, stream as unknown as WriteStream);
      events$.next(event('a', 'wfname:p:w', requested));
      events$.next(event('a', 'wfname:p:w', { type: 'run.log', level: 'info', message: 'half' }));
      end();
      expect(events$.observed).toBe(false);
      return String(stream.read() ?? '');
    };
    expect(shown(false)).toBe('wfname:p:w info: half\n');
    expect(shown(true)).toContain('wfname:p:w info: half\n');
    expect(shown(true)).toContain('\u001b[');
  });
});
