import { beforeEach, describe, expect, it } from 'vitest';
import { Cancellation } from '../../src/context/cancellation.js';
import { assertDepth } from '../../src/context/recursion.js';
import { RunScope } from '../../src/context/run-scope.js';
import { LIMITS } from '../../src/model/limits.js';

const silent = { hanging: () => undefined, progress: () => undefined, log: () => undefined };
const unused = (): Promise<never> => Promise.reject(new Error('unused'));

let told: unknown[][];
let cancel: Cancellation;
let scope: RunScope;

beforeEach(() => {
  told = [];
  cancel = new Cancellation();
  scope = new RunScope({
    engine: { run: unused, submit: unused as () => never, resolve: unused, open: unused },
    kind: 'task',
    routineId: 'tname:test:train:1.0.0',
    cancel,
    reporter: {
      hanging: () => undefined,
      progress: (_, ...rest) => told.push(rest),
      log: (_, ...rest) => told.push(rest),
    },
    ids: { next: () => 'run-1' },
  });
});

describe('the place of a run in its tree', () => {
  const below = (parent: RunScope, priority?: number): RunScope =>
    new RunScope({
      ...{ engine: scope.engine, kind: 'workflow', routineId: 'wfname:test:w', parent, cancel, priority },
      ...{ reporter: silent, ids: { next: () => 'run-2' } },
    });

  it('is how many runs are above it', () => {
    expect([scope.depth, below(scope).depth, below(below(scope)).depth]).toEqual([0, 1, 2]);
  });

  it('goes on from what was requested elsewhere, and calls go no deeper than they may', () => {
    const requested = { runId: 'run-9', rootRunId: 'run-0', attempt: 1, depth: LIMITS.callDepth - 1 };
    const parts = { engine: scope.engine, kind: 'workflow', routineId: 'wfname:test:w', cancel } as const;
    const there = new RunScope({ ...parts, reporter: silent, ids: { next: () => '' }, requested });
    expect([there.depth, below(there).depth]).toEqual([LIMITS.callDepth - 1, LIMITS.callDepth]);
    expect(() => assertDepth('wfname:test:w', there)).not.toThrow();
    expect(() => assertDepth('wfname:test:w', below(there))).toThrow(
      expect.objectContaining({ code: 'RECURSIVE_CALL' }),
    );
  });

  it('hands its priority down until one has its own', () => {
    const urgent = below(scope, 7);
    expect([scope.priority, urgent.priority, below(urgent).priority]).toEqual([0, 7, 7]);
    expect(below(below(urgent, 0)).priority).toBe(0);
  });
});

describe('what a body tells of its run', () => {
  it('is told as it was said', () => {
    scope.progress(1, 4);
    scope.progress(2);
    scope.log('half way', 'debug');
    scope.log('half way');
    expect(told).toEqual([
      [1, 4],
      [2, undefined],
      ['debug', 'half way'],
      ['info', 'half way'],
    ]);
  });

  it('is left out where it is no finite number', () => {
    scope.progress(Number.NaN, 4);
    scope.progress(Number.POSITIVE_INFINITY);
    scope.progress('3' as never, 4);
    scope.progress(3, Number.POSITIVE_INFINITY);
    scope.progress(4, '5' as never);
    expect(told).toEqual([
      [3, undefined],
      [4, undefined],
    ]);
  });

  it('is of level info when there is no such level', () => {
    scope.log('text', 'fatal' as never);
    expect(told).toEqual([['info', 'text']]);
  });

  it('is a text of bounded length, whatever was logged', () => {
    scope.log('x'.repeat(LIMITS.errorTextLength + 1));
    scope.log(42 as never);
    scope.log(Object.create(null) as never);
    const [long, number, bare] = told.map(([, text]) => text as string);
    expect(long).toHaveLength(LIMITS.errorTextLength);
    expect(number).toBe('42');
    expect(bare).toContain('Object');
  });

  it('is told to nobody when the body is over', () => {
    scope.end();
    scope.progress(1);
    scope.log('late');
    expect(told).toEqual([]);
  });

  it('is told to nobody when the run is cancelled', () => {
    cancel.cancel(new Error('enough'));
    scope.progress(1);
    scope.log('late');
    expect(told).toEqual([]);
  });
});
