import { beforeEach, describe, expect, it } from 'vitest';
import { Cancellation } from '../../src/context/cancellation.js';
import { RunScope } from '../../src/context/run-scope.js';
import { LIMITS } from '../../src/model/limits.js';

const unused = (): Promise<never> => Promise.reject(new Error('unused'));

let told: unknown[][];
let cancel: Cancellation;
let scope: RunScope;

beforeEach(() => {
  told = [];
  cancel = new Cancellation();
  scope = new RunScope({
    engine: { run: unused, resolve: unused, open: unused },
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
