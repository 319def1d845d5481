import { describe, expect, it } from 'vitest';
import { reduceProgress, routineName, summarizeTasks, treeRows } from '../src/progress-view.js';
import { after, failure, root, RunTeller, train } from './run-events.js';

const completed = { type: 'run.completed', byteLength: 100, remembered: true, durationMs: 5 } as const;
const starting = { type: 'run.starting', worker: 'worker-1' } as const;

describe('the state of a run', () => {
  const run = train('a');
  const states = (...events: Parameters<typeof after>) => after(...events).runs.get('a')?.state;

  it('goes from queued over running and hanging to done', () => {
    const events = [
      run.tell({ type: 'run.requested' }),
      run.tell({ type: 'run.dispatched', byteLength: 10 }),
      run.tell(starting),
      run.tell({ type: 'run.hanging' }),
      run.tell({ type: 'run.resumed' }),
      run.tell(completed),
    ];
    const seen = events.map((_, index) => states(...events.slice(0, index + 1)));
    expect(seen).toEqual(['queued', 'queued', 'running', 'hanging', 'running', 'done']);
  });

  it('is cached for a result that was in the store or shared', () => {
    expect(
      states(
        run.tell({ type: 'run.requested' }),
        run.tell({ type: 'run.cached', from: 'store', byteLength: 1 }),
      ),
    ).toBe('cached');
  });

  it('is queued again, from the beginning, when the run is placed elsewhere', () => {
    const state = after(
      run.tell({ type: 'run.requested' }),
      run.tell(starting),
      run.tell({ type: 'run.progress', done: 3, total: 4 }),
      run.tell({ type: 'run.retrying', delayMs: 0, error: failure }),
    );
    expect(state.runs.get('a')).toMatchObject({ state: 'queued', progress: undefined });
    const again = reduceProgress(state, run.tell({ type: 'run.starting', worker: 'worker-2' }, 2));
    expect(again.runs.get('a')).toMatchObject({ state: 'running', attempt: 2, worker: 'worker-2' });
  });

  it('does not change after its end, whatever a lost worker still tells', () => {
    const ended = after(
      run.tell({ type: 'run.requested' }),
      run.tell({ type: 'run.failed', error: failure }),
    );
    expect(reduceProgress(ended, run.tell(starting))).toBe(ended);
    expect(reduceProgress(ended, run.tell(completed))).toBe(ended);
    expect(ended.runs.get('a')?.state).toBe('failed');
  });

  it('is known even when its first events were missed', () => {
    expect(states(run.tell(starting))).toBe('running');
  });

  it('leaves earlier states as they were', () => {
    const before = after(run.tell({ type: 'run.requested' }));
    reduceProgress(before, run.tell(starting));
    expect(before.runs.get('a')?.state).toBe('queued');
  });

  it('is not touched by events that are not about a run', () => {
    const before = after(run.tell({ type: 'run.requested' }));
    const event = { type: 'store.miss', store: 'fs', key: 'k', at: 1, node: 'client' } as const;
    expect(reduceProgress(before, event)).toBe(before);
  });
});

describe('the rows of the tree', () => {
  it('put the runs of one routine on one line below the workflow that called them', () => {
    const [a, b, c] = [train('a'), train('b'), train('c')];
    const evaluate = new RunTeller('d', 'tname:spam-sweep:evaluate:1.0.0', 'root');
    const state = after(
      root().tell({ type: 'run.requested' }),
      root().tell(starting),
      ...[a, evaluate, b, c].map((run) => run.tell({ type: 'run.requested' })),
      a.tell({ type: 'run.dispatched', byteLength: 1000 }),
      a.tell(starting),
      a.tell({ type: 'run.progress', done: 1, total: 4 }),
      b.tell({ type: 'run.cached', from: 'store', byteLength: 50 }),
      root().tell({ type: 'run.hanging' }),
    );
    const rows = treeRows(state).map(({ name, depth }) => `${depth} ${name}`);
    expect(rows).toEqual(['0 sweep', '1 train', '1 evaluate']);
    const [sweepRow, trainRow] = treeRows(state);
    expect(sweepRow?.counts.hanging).toBe(1);
    expect(trainRow).toMatchObject({
      counts: { queued: 1, running: 1, cached: 1, done: 0 },
      underway: 0.25,
      bytes: 1050,
    });
    expect(trainRow?.endedAt).toBeUndefined();
  });

  it('nest as deep as workflows call workflows', () => {
    const inner = new RunTeller('inner', 'wfname:spam-sweep:inner', 'root');
    const leaf = new RunTeller('leaf', 'tname:spam-sweep:leaf:1.0.0', 'inner');
    const late = new RunTeller('late', 'tname:spam-sweep:late:1.0.0', 'root');
    const state = after(...[root(), late, inner, leaf].map((run) => run.tell({ type: 'run.requested' })));
    expect(treeRows(state).map(({ name, depth }) => `${depth} ${name}`)).toEqual([
      '0 sweep',
      '1 late',
      '1 inner',
      '2 leaf',
    ]);
  });

  it('end when the last run has ended', () => {
    const run = train('a');
    const first = run.tell({ type: 'run.requested' });
    const last = run.tell({ type: 'run.cancelled', error: failure });
    expect(treeRows(after(first, last))[0]).toMatchObject({ startedAt: first.at, endedAt: last.at });
  });
});

describe('the summary', () => {
  it('counts tasks by how they ended, and no workflows', () => {
    const runs = ['a', 'b', 'c', 'd', 'e'].map(train);
    const [a, b, c, d] = runs;
    const state = after(
      ...[root(), ...runs].map((run) => run.tell({ type: 'run.requested' })),
      ...(a && b && c && d
        ? [
            a.tell(completed),
            b.tell({ type: 'run.cached', from: 'store', byteLength: 1 }),
            c.tell({ type: 'run.failed', error: failure }),
            d.tell({ type: 'run.cancelled', error: failure }),
          ]
        : []),
      root().tell({ type: 'run.failed', error: failure }),
    );
    expect(summarizeTasks(state)).toEqual({ tasks: 5, executed: 1, cached: 1, failed: 1, cancelled: 1 });
  });
});

describe('the short name of a routine', () => {
  it.each([
    ['tname:spam-sweep:train:1.0.0', 'train'],
    ['wfname:spam-sweep:sweep', 'sweep'],
    ['tdb:42', 'tdb:42'],
  ])('of %s is %s', (id, name) => {
    expect(routineName(id)).toBe(name);
  });
});
