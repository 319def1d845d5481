import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { RequestStart } from '../../src/protocol/directives.js';
import { verdict } from '../../src/service/heartbeats.js';
import { expectedMs, match, takes, type Candidate } from '../../src/service/matchmaker.js';
import { kindKeyOf, RunKind } from '../../src/service/run-kind.js';
import { WorkerEntry } from '../../src/service/worker-entry.js';
import { WorkerTable } from '../../src/service/worker-table.js';
import { addWorker, runOf, TRAIN } from './stand-ins.js';

let table: WorkerTable;
beforeEach(() => {
  table = new WorkerTable();
});

/** The worker that a run would be given. */
function chosen(request: Partial<RequestStart> = {}): WorkerEntry | undefined {
  const wanted = runOf(request).request;
  const kind = new RunKind(kindKeyOf(wanted), wanted);
  table.attach(kind);
  return match(kind.pools, kind.routineId);
}
const holds = (worker: WorkerEntry, runs: number): void => {
  for (let held = 0; held < runs; held += 1) worker.hold(runOf());
};

describe('the matchmaker', () => {
  it('chooses nobody where there is nobody', () => {
    expect(chosen()).toBeUndefined();
  });

  it('chooses the least loaded worker, measured by its slots', () => {
    const half = addWorker(table, { slots: 2 });
    const quarter = addWorker(table, { slots: 4 });
    for (const worker of [half, quarter, addWorker(table)]) holds(worker, 1);
    expect(chosen()).toBe(quarter);
  });

  it('chooses the least loaded worker among those that offer different things beside', () => {
    const busy = addWorker(table, { slots: 2, routines: [TRAIN, 'tname:test:other:1.0.0'] });
    holds(busy, 1);
    const free = addWorker(table, { slots: 2 });
    expect(chosen()).toBe(free);
  });

  it('chooses the first of equals', () => {
    const first = addWorker(table);
    addWorker(table);
    expect(chosen()).toBe(first);
  });

  it('does not count runs that hang', () => {
    const worker = addWorker(table);
    const run = runOf();
    worker.hold(run);
    expect(chosen()).toBeUndefined();
    run.hanging = true;
    worker.setHanging(run, true);
    expect(chosen()).toBe(worker);
  });

  it.each(['INITIALIZING', 'TERMINATING', 'UNRESPONSIVE', 'CLOSED'] as const)(
    'passes over a worker that is %s',
    (status) => {
      addWorker(table).status = status;
      expect(chosen()).toBeUndefined();
    },
  );

  it('passes over a worker that said it was busy', () => {
    addWorker(table).refusing = true;
    const free = addWorker(table);
    expect(chosen()).toBe(free);
  });

  it('passes over a worker without the labels, the store or the version that a run requires', () => {
    const wanted = addWorker(table, { labels: { gpu: 'a100', zone: 'eu' }, store: 'fs:/x' });
    const others = [
      { labels: { gpu: 'h100' } },
      { store: 'fs:/y' },
      { routines: ['tname:test:train:2.0.0'] },
    ];
    for (const said of others) addWorker(table, said);
    holds(wanted, 1);
    const blobs = [{ part: 1, digest: 'a'.repeat(64), byteLength: 1 }];
    expect(chosen({ labels: { gpu: 'a100' } })).toBeUndefined();
    expect(chosen({ blobs, store: 'fs:/x' })).toBeUndefined();
    const another = addWorker(table, { labels: { zone: 'eu', gpu: 'a100', disk: '1' }, store: 'fs:/x' });
    expect(chosen({ labels: { gpu: 'a100', zone: 'eu' } })).toBe(another);
    expect(chosen({ blobs, store: 'fs:/x' })).toBe(another);
    table.remove(another);
    expect(chosen({ labels: { gpu: 'a100', zone: 'eu' } })).toBeUndefined();
    expect(chosen({ blobs, store: 'fs:/x' })).toBeUndefined();
  });

  it('sends ahead to the worker that is expected to be free first', () => {
    const workers = [0.9, 0.2, 0.5].map((meanMs) => {
      const worker = addWorker(table, { inbox: 8 });
      worker.learnDuration(TRAIN, meanMs);
      worker.hold(runOf({}, { expectedMs: meanMs }));
      return worker;
    });
    expect(chosen()).toBe(workers[1]);
  });
});

describe('ten thousand workers', () => {
  /** How often the load of any worker is looked at meanwhile. */
  function looksAt(work: () => void): number {
    const looked = vi.spyOn(WorkerEntry.prototype, 'computing', 'get');
    work();
    const times = looked.mock.calls.length;
    looked.mockRestore();
    return times;
  }

  it('cost no more steps a placement than their logarithm', () => {
    const kind = new RunKind(TRAIN, runOf().request);
    const workers = Array.from({ length: 10_000 }, () => addWorker(table));
    table.attach(kind);
    const given = new Set<WorkerEntry>();
    const times = looksAt(() => {
      for (let placed = 0; placed < 10_000; placed += 1) {
        const worker = match(kind.pools, TRAIN);
        worker?.hold(runOf());
        if (worker) given.add(worker);
      }
    });
    expect(given.size).toBe(workers.length);
    expect(match(kind.pools, TRAIN)).toBeUndefined();
    expect(times / 10_000).toBeLessThan(6 * Math.log2(10_000));
  });

  it('share one list of the routines that all of them offer', () => {
    const workers = Array.from({ length: 100 }, () => addWorker(table));
    expect(new Set(workers.map(({ routines }) => routines)).size).toBe(1);
  });
});

describe('a worker whose slot is taken', () => {
  const busy = (meanMs: number | undefined, more: Partial<Candidate> = {}): Candidate => ({
    ...{ status: 'WORKING', refusing: false, slots: 1, inbox: 8, computing: 1, backlogMs: meanMs ?? 2 },
    meanMs: meanMs === undefined ? new Map() : new Map([[TRAIN, meanMs]]),
    ...more,
  });

  it('takes one more run of a routine that is known to be short', () => {
    expect(takes(busy(0.5), TRAIN)).toBe(true);
  });

  it.each([
    ['that it does not know', busy(undefined)],
    ['that is long', busy(2)],
    ['that is short, behind a long one', busy(0.5, { backlogMs: 2 })],
    ['that is short, when what it holds fills the time', busy(0.5, { computing: 4, backlogMs: 1.75 })],
    ['that is short, when its inbox is full', busy(0, { computing: 9, backlogMs: 0 })],
    ['that is short, when it drains', busy(0.5, { status: 'TERMINATING' })],
    ['that is short, when it said that it was busy', busy(0.5, { refusing: true })],
  ])('takes none %s', (_, candidate) => {
    expect(takes(candidate, TRAIN)).toBe(false);
  });
});

describe('how long a run is expected to take', () => {
  it('is the mean of its routine, and at most what may be sent ahead', () => {
    const meanMs = new Map([
      [TRAIN, 0.25],
      ['long', 60_000],
    ]);
    expect(expectedMs({ meanMs }, TRAIN)).toBe(0.25);
    expect(expectedMs({ meanMs }, 'long')).toBe(2);
    expect(expectedMs({ meanMs }, 'unknown')).toBe(2);
  });
});

describe('the running mean', () => {
  it.each([
    [Number.POSITIVE_INFINITY, 1e9],
    [-1e308, 0],
  ])('believes no duration of %d ms', (durationMs, believed) => {
    const worker = addWorker(table);
    worker.learnDuration(TRAIN, durationMs);
    expect(worker.meanMs.get(TRAIN)).toBe(believed);
  });
});

describe('the verdict on a pulse', () => {
  const limits = { heartbeatMs: 2_000, suspectMs: 5_000, leaseMs: 10_000 };
  it.each([
    [0, 'alive'],
    [4_999, 'alive'],
    [5_000, 'suspect'],
    [9_999, 'suspect'],
    [10_000, 'lost'],
  ] as const)('that is %d ms old is %s', (ageMs, expected) => {
    expect(verdict(ageMs, limits)).toBe(expected);
  });
});
