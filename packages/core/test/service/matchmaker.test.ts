import { describe, expect, it } from 'vitest';
import { verdict } from '../../src/service/heartbeats.js';
import { expectedMs, match, takes, type Candidate } from '../../src/service/matchmaker.js';
import { learnDuration, type WorkerEntry } from '../../src/service/worker-table.js';

const worker = (name: string, more: Partial<Candidate> = {}): Candidate & { readonly name: string } => ({
  ...{
    name,
    status: 'IDLE',
    slots: 1,
    inbox: 8,
    runs: { size: 0 },
    hanging: 0,
    refusing: false,
    meanMs: new Map(),
    backlogMs: 0,
  },
  ...more,
});
const train = 'tname:test:train:1.0.0';
const chosen = (...candidates: (Candidate & { readonly name: string })[]): string | undefined =>
  match(candidates, train)?.name;

describe('the matchmaker', () => {
  it('chooses nobody where there is nobody', () => {
    expect(chosen()).toBeUndefined();
  });

  it('chooses the least loaded worker, measured by its slots', () => {
    expect(
      chosen(
        worker('half', { slots: 2, runs: { size: 1 } }),
        worker('quarter', { slots: 4, runs: { size: 1 } }),
        worker('full', { runs: { size: 1 } }),
      ),
    ).toBe('quarter');
  });

  it('chooses the first of equals', () => {
    expect(chosen(worker('first'), worker('second'))).toBe('first');
  });

  it('does not count runs that hang', () => {
    expect(chosen(worker('hangs', { runs: { size: 3 }, hanging: 3, status: 'HANGING' }))).toBe('hangs');
  });

  it.each(['INITIALIZING', 'TERMINATING', 'UNRESPONSIVE', 'CLOSED'] as const)(
    'passes over a worker that is %s',
    (status) => {
      expect(chosen(worker('other', { status }))).toBeUndefined();
    },
  );

  it('passes over a worker that said it was busy', () => {
    expect(chosen(worker('busy', { refusing: true }), worker('free', { runs: { size: 0 } }))).toBe('free');
  });
});

describe('a worker whose slot is taken', () => {
  const busy = (meanMs: number | undefined, more: Partial<Candidate> = {}): Candidate =>
    worker('busy', {
      runs: { size: 1 },
      backlogMs: meanMs ?? 2,
      meanMs: meanMs === undefined ? new Map() : new Map([[train, meanMs]]),
      ...more,
    });

  it('takes one more run of a routine that is known to be short', () => {
    expect(takes(busy(0.5), train)).toBe(true);
  });

  it.each([
    ['that it does not know', busy(undefined)],
    ['that is long', busy(2)],
    ['that is short, behind a long one', busy(0.5, { backlogMs: 2 })],
    ['that is short, when what it holds fills the time', busy(0.5, { runs: { size: 4 }, backlogMs: 1.75 })],
    ['that is short, when its inbox is full', busy(0, { runs: { size: 9 }, backlogMs: 0 })],
  ])('takes none %s', (_, candidate) => {
    expect(takes(candidate, train)).toBe(false);
  });
});

describe('how long a run is expected to take', () => {
  it('is the mean of its routine, and at most what may be sent ahead', () => {
    const meanMs = new Map([
      [train, 0.25],
      ['long', 60_000],
    ]);
    expect(expectedMs({ meanMs }, train)).toBe(0.25);
    expect(expectedMs({ meanMs }, 'long')).toBe(2);
    expect(expectedMs({ meanMs }, 'unknown')).toBe(2);
  });
});

describe('the running mean', () => {
  it.each([
    [Number.POSITIVE_INFINITY, 1e9],
    [-1e308, 0],
  ])('believes no duration of %d ms', (durationMs, believed) => {
    const entry = { meanMs: new Map<string, number>() } as WorkerEntry;
    learnDuration(entry, train, durationMs);
    expect(entry.meanMs.get(train)).toBe(believed);
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
