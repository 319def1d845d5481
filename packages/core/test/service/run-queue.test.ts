import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RequestStart } from '../../src/protocol/directives.js';
import { earlier, PATIENCE } from '../../src/service/lane.js';
import type { NodeSession } from '../../src/service/node-session.js';
import { kindKeyOf, RunKind } from '../../src/service/run-kind.js';
import { RunQueue } from '../../src/service/run-queue.js';
import type { RunRecord } from '../../src/service/run-record.js';
import { runOf, TRAIN } from './stand-ins.js';

/** A queue, and the kinds of the runs in it. */
class Waiting {
  readonly queue = new RunQueue();
  readonly kinds = new Map<string, RunKind>();

  kindOf(request: RequestStart): RunKind {
    const key = kindKeyOf(request);
    const kind = this.kinds.get(key) ?? new RunKind(key, request);
    this.kinds.set(key, kind);
    return kind;
  }

  add(record: RunRecord): RunRecord {
    if (record.turn === 0) record.turn = this.queue.nextTurn();
    this.queue.add(record, this.kindOf(record.request));
    return record;
  }

  request(request: Partial<RequestStart>): RunRecord {
    return this.add(runOf(request));
  }

  /** Places what goes first, of some routines. */
  place(routines: readonly string[] = [...this.kinds.keys()]): RunRecord | undefined {
    const lanes = routines.map((routineId) => this.kinds.get(routineId)?.first);
    const first = lanes.reduce(earlier, undefined)?.head;
    if (first) this.queue.serve(first);
    return first;
  }

  placeAll(): RunRecord[] {
    const placed: RunRecord[] = [];
    for (let next = this.place(); next; next = this.place()) placed.push(next);
    return placed;
  }
}

const idsOf = (records: readonly RunRecord[]): string[] => records.map(({ request }) => request.runId);
const rootsOf = (records: readonly RunRecord[]): string =>
  records.map(({ request }) => request.rootRunId).join('');

describe('of the runs that wait', () => {
  it('those of a higher priority go first', () => {
    const waiting = new Waiting();
    const [low, high, none] = [-1, 5, undefined].map((priority) => waiting.request({ priority }));
    expect(waiting.placeAll()).toEqual([high, none, low]);
  });

  it('the root runs take turns, however many runs each has', () => {
    const waiting = new Waiting();
    for (const rootRunId of 'aaaaaabbc') waiting.request({ rootRunId });
    expect(rootsOf(waiting.placeAll())).toBe('abcabaaaa');
  });

  it('a root that comes later waits for one turn of each other, and no longer', () => {
    const waiting = new Waiting();
    for (const rootRunId of 'aaaabbbb') waiting.request({ rootRunId });
    waiting.place();
    waiting.request({ rootRunId: 'c' });
    expect(rootsOf(waiting.placeAll())).toBe('bacbabab'.slice(0, 8));
  });

  it('the roots take turns over all routines together', () => {
    const waiting = new Waiting();
    for (const routineId of ['x', 'y', 'z', 'x', 'y', 'z']) waiting.request({ rootRunId: 'a', routineId });
    for (const routineId of ['x', 'x', 'x']) waiting.request({ rootRunId: 'b', routineId });
    expect(rootsOf(waiting.placeAll())).toBe('abababaaa');
  });

  it('the deeper ones of a root go first, so that what has begun ends', () => {
    const waiting = new Waiting();
    const [shallow, deep, middle, none] = [1, 3, 2, undefined].map((depth) =>
      waiting.request({ rootRunId: 'a', depth, routineId: depth === 3 ? 'x' : 'y' }),
    );
    expect(waiting.placeAll()).toEqual([deep, middle, shallow, none]);
  });

  it('one that comes back takes its old place', () => {
    const waiting = new Waiting();
    const records = Array.from({ length: 5 }, () => waiting.request({ rootRunId: 'a' }));
    const other = waiting.request({ rootRunId: 'b' });
    const [first, second] = [waiting.place(), waiting.place()];
    expect([first, second]).toEqual([records[0], other]);
    for (const back of [other, records[0]]) if (back) waiting.add(back);
    expect(idsOf(waiting.placeAll())).toEqual(idsOf([other, ...records]));
  });

  it('none is left out for ever because its root has its turns elsewhere', () => {
    const waiting = new Waiting();
    const neglected = waiting.request({ rootRunId: 'a', routineId: 'scarce' });
    let placed = 0;
    const isPlaced = (): boolean => neglected.line === undefined;
    while (!isPlaced() && placed < 2 * PATIENCE) {
      // Workers of the other routine are plenty, so `a` has had its turn whenever one of the scarce ones is free.
      waiting.request({ rootRunId: 'b', routineId: 'scarce' });
      waiting.request({ rootRunId: 'a', routineId: 'plenty' });
      waiting.place(['plenty']);
      waiting.place(['scarce']);
      placed += 1;
    }
    expect(isPlaced()).toBe(true);
  });
});

/** What the queue does, in the plainest way: looks at all that wait each time. */
class Model {
  readonly #waiting: RunRecord[] = [];
  /** Turns of the roots of each priority, and of their lanes, as long as something of them waits. */
  readonly #roots = new Map<string, number>();
  readonly #lanes = new Map<string, number>();
  #turn = 0;

  get waiting(): readonly RunRecord[] {
    return this.#waiting;
  }

  nextTurn(): number {
    this.#turn += 1;
    return this.#turn;
  }

  add(record: RunRecord, turn: number): void {
    if (!this.#roots.has(rootOf(record))) this.#roots.set(rootOf(record), turn);
    if (!this.#lanes.has(laneOf(record))) this.#lanes.set(laneOf(record), turn);
    this.#waiting.push(record);
  }

  remove(record: RunRecord): void {
    this.#waiting.splice(this.#waiting.indexOf(record), 1);
    if (!this.#waiting.some((other) => laneOf(other) === laneOf(record))) this.#lanes.delete(laneOf(record));
    if (!this.#waiting.some((other) => rootOf(other) === rootOf(record))) this.#roots.delete(rootOf(record));
  }

  place(routines: readonly string[]): RunRecord | undefined {
    const [first] = this.#waiting
      .filter(({ request }) => routines.includes(request.routineId))
      .toSorted((a, b) => compare(this.#rank(a), this.#rank(b)));
    if (!first) return undefined;
    const turn = this.nextTurn();
    this.#roots.set(rootOf(first), turn);
    this.#lanes.set(laneOf(first), turn);
    this.remove(first);
    return first;
  }

  #rank(record: RunRecord): number[] {
    const turn = this.#roots.get(rootOf(record)) ?? Number.NaN;
    const due = (this.#lanes.get(laneOf(record)) ?? Number.NaN) + PATIENCE;
    const { priority = 0, depth = 0 } = record.request;
    return [-priority, Math.min(turn, due), turn, -depth, record.order];
  }
}

const rootOf = ({ request }: RunRecord): string => `${request.priority ?? 0} ${request.rootRunId}`;
const laneOf = (record: RunRecord): string => `${rootOf(record)} ${record.request.routineId}`;
function compare(a: readonly number[], b: readonly number[]): number {
  const differs = a.findIndex((value, index) => value !== b[index]);
  return differs === -1 ? 0 : (a[differs] ?? 0) - (b[differs] ?? 0);
}

const routines = ['x', 'y', 'z'];
const deeds = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        ...{ deed: fc.constant('request' as const), routineId: fc.constantFrom(...routines) },
        ...{ rootRunId: fc.constantFrom('a', 'b', 'c', 'd'), priority: fc.constantFrom(undefined, 0, 1, -3) },
        depth: fc.constantFrom(undefined, 1, 2, 7),
      }),
    },
    { weight: 3, arbitrary: fc.record({ deed: fc.constant('place' as const), from: fc.subarray(routines) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        deed: fc.constantFrom('withdraw' as const, 'return' as const),
        which: fc.nat(),
      }),
    },
  ),
  { maxLength: 200 },
);

type Deed = typeof deeds extends fc.Arbitrary<(infer T)[]> ? T : never;

/** Queue and model side by side. */
class Both {
  readonly waiting = new Waiting();
  readonly model = new Model();
  readonly #placed: RunRecord[] = [];

  /** @returns what the queue gave and what the model gave, and how many wait in each. */
  take(step: Deed): { readonly queue: readonly unknown[]; readonly model: readonly unknown[] } {
    const given = this.#take(step);
    const { waiting, model } = this;
    return { queue: [given[0], waiting.queue.size], model: [given[1], model.waiting.length] };
  }

  #take(step: Deed): readonly [unknown, unknown] {
    const { waiting, model } = this;
    if (step.deed === 'request') {
      const { deed: _, ...request } = step;
      model.add(waiting.request(request), model.nextTurn());
    } else if (step.deed === 'place') {
      const record = waiting.place(step.from);
      if (record) this.#placed.push(record);
      return [record, model.place(step.from)];
    } else if (step.deed === 'withdraw') return this.#withdraw(step.which);
    else {
      const [record] = this.#placed.splice(step.which % Math.max(1, this.#placed.length), 1);
      if (record) model.add(waiting.add(record), record.turn);
    }
    return [undefined, undefined];
  }

  #withdraw(which: number): readonly [unknown, unknown] {
    const { queue } = this.waiting;
    const record = this.model.waiting[which % Math.max(1, this.model.waiting.length)];
    if (!record) return [undefined, undefined];
    this.model.remove(record);
    return [`${queue.remove(record)} ${queue.remove(record)}`, 'true false'];
  }
}

it('whatever comes, goes and comes back: what goes first is what a look at all that wait finds', () => {
  fc.assert(
    fc.property(deeds, (taken) => {
      const both = new Both();
      for (const step of taken) {
        const took = both.take(step);
        expect(took.queue).toEqual(took.model);
      }
      const { waiting, model } = both;
      expect(new Set(waiting.queue)).toEqual(new Set(model.waiting));
      const rest = Array.from({ length: model.waiting.length }, () => model.place(routines));
      expect(waiting.placeAll()).toEqual(rest);
      expect([...waiting.queue.kinds]).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

describe('a million runs that wait', () => {
  const MILLION = 1_000_000;
  let looked = 0;

  /** Tells how often its order is looked at. */
  class Counted implements RunRecord {
    readonly #order: number;
    readonly requester = {} as NodeSession;
    readonly body = undefined;
    attempt = 0;
    lease = 0;
    askedIn = 1;
    isTakenIn = false;
    downfalls = 0;
    losses = 0;
    expectedMs = 0;
    started = false;
    hanging = false;
    told = false;
    turn = 0;
    line: RunRecord['line'];
    before: RunRecord | undefined;
    behind: RunRecord | undefined;
    heapIndex = -1;
    readonly request: RequestStart;

    constructor(order: number, rootRunId: string) {
      this.#order = order;
      const run = { runId: `run-${order}`, rootRunId, attempt: 1, lease: 0 };
      this.request = { type: 'v1.routine.request_start', ...run, routineId: TRAIN };
    }

    get order(): number {
      looked += 1;
      return this.#order;
    }
  }

  it.each([
    ['of one root', () => 'root'],
    ['of a thousand roots', (n: number) => `root-${n % 1_000}`],
    ['of a root each', (n: number) => `root-${n}`],
  ])(
    '%s: each is compared with a few others at most, also when it comes back',
    (_, rootOfRun) => {
      looked = 0;
      const waiting = new Waiting();
      const place = (times: number): RunRecord[] =>
        Array.from({ length: times }, () => waiting.place([TRAIN]) as RunRecord);
      for (let n = 0; n < MILLION; n += 1) waiting.add(new Counted(n, rootOfRun(n)));
      const begun = place(1_000);
      for (const record of begun.toReversed()) waiting.add(record);
      expect(new Set(place(1_000))).toEqual(new Set(begun));
      place(MILLION - 1_000);
      expect(waiting.queue.size).toBe(0);
      expect(looked / MILLION).toBeLessThan(3);
    },
    120_000,
  );
});
