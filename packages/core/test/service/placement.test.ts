import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { bodyOf } from '../../src/model/body.js';
import { hasLabels } from '../../src/model/labels.js';
import { LIMITS } from '../../src/model/limits.js';
import { Placement } from '../../src/service/placement.js';
import { RunKind } from '../../src/service/run-kind.js';
import type { RunRecord } from '../../src/service/run-record.js';
import type { WorkerEntry } from '../../src/service/worker-entry.js';
import { WorkerTable } from '../../src/service/worker-table.js';
import { Turns } from '../protocol/memory-pipe.js';
import { addWorker, runOf } from './stand-ins.js';

const LABELS = [undefined, {}, { gpu: 'a' }, { gpu: 'b' }, { gpu: 'a', zone: 'eu' }] as const;
const [X, Y, Z] = ['tname:test:xx:1.0.0', 'tname:test:yy:1.0.0', 'tname:test:zz:1.0.0'] as const;
const OFFERS = [[X], [Y], [X, Y], [Y, X, Z]] as const;
const ERROR = { name: 'Error', message: 'as the test says' };

/** A placement, its workers and its runs; nobody is there to be told anything. */
class Play {
  readonly workers = new WorkerTable();
  readonly failed: string[] = [];
  readonly requested: RunRecord[] = [];
  readonly asked: unknown[] = [];
  readonly placement: Placement;

  constructor() {
    this.placement = new Placement({
      ...{
        workers: this.workers,
        clock: new Turns(),
        onQueue: () => undefined,
        queuedRuns: 1_000_000,
        maxDeliveries: 3,
      },
      onCancelled: (record) => void this.failed.push(record.request.runId),
      onFailed: (record) => void this.failed.push(record.request.runId),
    });
  }

  get held(): RunRecord[] {
    return this.requested.filter(({ worker }) => worker);
  }

  request(request: Partial<RunRecord['request']>): RunRecord {
    const requester = { post: (directive: { type: string }) => this.asked.push(directive.type) };
    const body = bodyOf({ head: new Uint8Array([1]), buffers: [] });
    const record = runOf(request, { body, requester: requester as never });
    this.requested.push(record);
    this.placement.accept(record);
    return record;
  }

  worker(said: Parameters<typeof addWorker>[1]): WorkerEntry {
    const worker = addWorker(this.workers, said);
    Object.assign(worker.node, { post: () => undefined });
    this.placement.fill();
    return worker;
  }

  /** A run with arguments of so many bytes, which need not exist. */
  requestLarge(runId: string, byteLength: number, lease = 0): RunRecord {
    const requester = { post: (directive: { type: string }) => this.asked.push(directive.type) };
    const body = { ...bodyOf({ head: new Uint8Array([1]), buffers: [] }), byteLength };
    const record = runOf({ runId }, { body, lease, requester: requester as never });
    this.placement.accept(record);
    return record;
  }

  lose(worker: WorkerEntry): void {
    this.workers.remove(worker);
    worker.status = 'CLOSED';
    for (const record of worker.runs) this.placement.again(record, ERROR, 'blameless');
    this.placement.fill();
  }

  end(record: RunRecord): void {
    this.placement.release(record);
    this.requested.splice(this.requested.indexOf(record), 1);
    this.placement.fill();
  }
}

/** Whether a worker could be given a run: said anew, from nothing but the two. */
function couldTake(worker: WorkerEntry, { request }: RunRecord): boolean {
  const hasStore = !request.blobs || request.store === worker.store;
  const offers = worker.routines.has(request.routineId) && hasLabels(worker.labels, request.labels);
  const isFree = ['IDLE', 'WORKING', 'HANGING'].includes(worker.status) && !worker.refusing;
  return offers && hasStore && isFree && worker.runs.size - worker.hanging < worker.slots;
}

const nat = fc.nat(30);
const deed = fc.oneof(
  { weight: 5, arbitrary: fc.record({ deed: fc.constant('request' as const), a: nat, b: nat, c: nat }) },
  {
    weight: 6,
    arbitrary: fc.record({
      deed: fc.constantFrom(
        'worker',
        'lose',
        'end',
        'end',
        'hang',
        'resume',
        'busy',
        'pulse',
        'suspect',
        'drain',
      ),
      ...{ a: nat, b: nat, c: nat },
    }),
  },
);
type Deed = typeof deed extends fc.Arbitrary<infer T> ? T : never;

const pick = <T>(from: Iterable<T>, index: number): T | undefined => {
  const list = [...from];
  return list[index % Math.max(1, list.length)];
};

function take(play: Play, { deed: done, a, b, c }: Deed): void {
  const { placement } = play;
  const worker = pick(play.workers.all, a);
  const run = pick(play.held, a);
  const store = c % 3 === 0 ? 'fs:/x' : undefined;
  if (done === 'request') {
    const blobs = store !== undefined && [{ part: 1, digest: 'a'.repeat(64), byteLength: 300_000 }];
    play.request({
      ...{ routineId: pick([X, Y, Z], a) ?? '', labels: LABELS[b % LABELS.length], priority: c % 2 },
      ...(blobs && { blobs, store }),
    });
  } else if (done === 'worker') {
    const labels = LABELS[b % LABELS.length];
    const said = { routines: pick(OFFERS, a) ?? [], slots: (c % 2) + 1 };
    play.worker({ ...said, ...(labels && { labels }), ...(store !== undefined && { store }) });
  } else if (worker && done === 'lose') play.lose(worker);
  else if (run && done === 'end') play.end(run);
  else if (run && (done === 'hang' || done === 'resume')) placement.setHanging(run, done === 'hang');
  else if (run?.worker && done === 'busy') {
    const { worker: from } = run;
    placement.release(run);
    from.refusing = true;
    placement.again(run, ERROR, 'blameless');
  } else if (worker && done === 'pulse') {
    worker.refusing = false;
    if (worker.status === 'UNRESPONSIVE') worker.status = 'IDLE';
  } else if (worker && done === 'suspect' && worker.status === 'IDLE') worker.status = 'UNRESPONSIVE';
  else if (worker && done === 'drain') worker.status = 'TERMINATING';
  placement.fill();
}

describe('whatever comes and goes', () => {
  it('no run waits while a worker could take it, and each is where it may be', () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 80 }), (deeds) => {
        const play = new Play();
        for (const done of deeds) {
          take(play, done);
          for (const record of play.placement.queue)
            expect([...play.workers.all].filter((worker) => couldTake(worker, record))).toEqual([]);
          for (const { worker, request } of play.held) {
            expect(worker?.routines.has(request.routineId)).toBe(true);
            expect(hasLabels(worker?.labels, request.labels)).toBe(true);
            expect(request.blobs ? worker?.store : undefined).toBe(request.blobs && request.store);
          }
        }
        const waiting = [...play.placement.queue].length;
        expect(waiting).toBe(play.placement.queue.size);
        const held = play.requested.filter(({ asked }) => asked).length;
        expect(waiting + held + play.held.length).toBe(play.requested.length);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('a worker that has become free', () => {
  it('is given a run without a look at other workers, or at runs that it can not take', () => {
    const play = new Play();
    const workers = Array.from({ length: 2_000 }, (_, n) =>
      play.worker({ routines: [X], labels: { n: `${n}` } }),
    );
    for (let n = 0; n < 2_000; n += 1) play.request({ routineId: X });
    for (let n = 0; n < 2_000; n += 1) play.request({ routineId: `tname:test:unknown-${n}:1.0.0` });
    for (let n = 0; n < 2_000; n += 1) play.request({ routineId: X, labels: { n: `${n}` } });
    const looked = vi.spyOn(RunKind.prototype, 'first', 'get');
    const last = workers.at(-1);
    for (const record of [...(last?.runs ?? [])]) play.end(record);
    expect([...(last?.runs ?? [])].map(({ request }) => request.labels)).toEqual([{ n: '1999' }]);
    expect(looked.mock.calls.length).toBeLessThan(5);
    looked.mockRestore();
  });
});

describe('runs that wait', () => {
  it('are found by their workers also after workers of another kind came', () => {
    const play = new Play();
    play.worker({ routines: [Y] });
    const [, waits] = [play.request({ routineId: Y }), play.request({ routineId: Y })];
    play.worker({ routines: [X] });
    const free = play.worker({ routines: [Y] });
    expect(waits.worker).toBe(free);
  });
});

describe('the bytes of arguments that wait', () => {
  const HALF = LIMITS.queuedBytes / 2;

  it('are bounded, whoever they are of, and what had a worker before is taken back in any case', () => {
    const play = new Play();
    play.requestLarge('a', HALF);
    play.requestLarge('b', HALF);
    play.requestLarge('c', 1);
    expect(play.failed).toEqual(['c']);
    play.requestLarge('d', HALF, 7);
    expect(play.failed).toEqual(['c']);
  });

  it('count no more when their run goes to a worker', () => {
    const play = new Play();
    play.requestLarge('a', HALF);
    play.requestLarge('b', HALF);
    play.worker({ routines: [runOf({}).request.routineId] });
    play.requestLarge('c', HALF);
    expect(play.failed).toEqual([]);
    expect(play.placement.queue.byteLength).toBe(2 * HALF);
  });
});

describe('runs that require labels', () => {
  it('are told why they wait, and go to the first worker that has them', () => {
    const play = new Play();
    play.worker({ routines: [X] });
    const record = play.request({ routineId: X, labels: { gpu: 'a' } });
    expect(play.asked).toEqual(['v1.routine.waiting']);
    const gpu = play.worker({ routines: [X], labels: { gpu: 'a' } });
    expect(record.worker).toBe(gpu);
  });
});
