import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPlainError } from '../../src/errors/error-conversion.js';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import { ERRORS, type ErrorCode } from '../../src/errors/codes.js';
import type { RetryControl } from '../../src/model/call.js';
import { isWorthRetrying, retryDelayMs } from '../../src/policy/retry.js';

const control: RetryControl = {
  attempts: 5,
  backoffMs: 100,
  factor: 3,
  maxBackoffMs: 1_000,
  jitter: 'none',
};
const plain = (code: ErrorCode) => toPlainError(new RoutineEngineError(code, 'x'));

describe('the wait before a retry', () => {
  it('grows by the factor, up to its longest', () => {
    expect([1, 2, 3, 4, 5_000].map((failures) => retryDelayMs(control, failures, 0.5))).toEqual([
      100, 300, 900, 1_000, 1_000,
    ]);
  });

  it('is by chance anything up to that, with full jitter', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (failures, chance) => {
          const longest = retryDelayMs(control, failures, chance);
          expect(retryDelayMs({ ...control, jitter: 'full' }, failures, chance)).toBe(chance * longest);
        },
      ),
    );
  });
});

describe('what is worth a retry', () => {
  it('is what a body threw', () => {
    expect(isWorthRetrying(control, toPlainError(new TypeError('x')))).toBe(true);
    expect(isWorthRetrying(control, { name: 'MyError', message: 'x', code: 'RUN_CANCELLED' })).toBe(true);
  });

  it('is of the errors of this project what says so', () => {
    const final = ['RUN_CANCELLED', 'RUN_TIMEOUT', 'QUEUE_TIMEOUT', 'LIFECYCLE_CLOSED'];
    for (const code of Object.keys(ERRORS) as ErrorCode[]) {
      expect([code, isWorthRetrying(control, plain(code))]).toEqual([
        code,
        ERRORS[code].retry && !final.includes(code),
      ]);
    }
  });

  it('is decided by the caller, but for what is final', () => {
    const asks = { ...control, asks: true, nonRetryable: ['RangeError'] };
    expect(isWorthRetrying(asks, plain('RUN_POISONED'))).toBe('ask');
    expect(isWorthRetrying(asks, toPlainError(new TypeError('x')))).toBe('ask');
    expect(isWorthRetrying(asks, toPlainError(new RangeError('x')))).toBe(false);
    for (const code of ['RUN_CANCELLED', 'RUN_TIMEOUT', 'QUEUE_TIMEOUT', 'LIFECYCLE_CLOSED'] as const)
      expect(isWorthRetrying(asks, plain(code))).toBe(false);
  });
});
