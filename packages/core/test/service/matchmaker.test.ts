import { describe, expect, it } from 'vitest';
import { verdict } from '../../src/service/heartbeats.js';
import { capacity, match, type Candidate } from '../../src/service/matchmaker.js';

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

describe('the capacity of a worker', () => {
  it.each([
    ['nothing is known of the routine', undefined, 1],
    ['its runs take a second', 1_000, 1],
    ['its runs take 2 ms', 2, 2],
    ['its runs take half a millisecond', 0.5, 5],
    ['its runs take no time', 0, 9],
  ])('when %s', (_, meanMs, expected) => {
    const known = meanMs === undefined ? new Map<string, number>() : new Map([[train, meanMs]]);
    expect(capacity(worker('one', { meanMs: known }), train)).toBe(expected);
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
