import { describe, expect, it } from 'vitest';
import { errorText, hasCode } from '../src/error-text.js';

const coded = (code: string, message: string, cause?: unknown) =>
  Object.assign(new Error(message, { cause }), { code });

describe('the text of an error', () => {
  it('begins with its code, and names the causes below', () => {
    const error = coded('STORE_FULL', 'No room.', coded('ENOSPC', 'no space left', 'disk'));
    expect(errorText(error)).toBe(
      [
        'error STORE_FULL: No room.',
        '  caused by: error ENOSPC: no space left',
        '  caused by: error: disk',
      ].join('\n'),
    );
  });

  it('shows the stack of an error without a code', () => {
    expect(errorText(new TypeError('oops'))).toMatch(/^error: TypeError: oops\n\s+at /);
  });

  it('lists the parts of several failures', () => {
    const error = Object.assign(new AggregateError([coded('A', 'one'), coded('B', 'two')], 'both'), {
      code: 'C',
    });
    expect(errorText(error)).toBe(['error C: both', '  - error A: one', '  - error B: two'].join('\n'));
  });

  it('ends for a cause that goes in a circle', () => {
    const error = coded('A', 'one');
    error.cause = error;
    expect(errorText(error)).toBe('error A: one');
  });

  it('is found by code, whatever kind of error has it', () => {
    expect(hasCode(coded('RUN_CANCELLED', 'stop'), 'RUN_CANCELLED')).toBe(true);
    expect(hasCode(coded('RUN_TIMEOUT', 'stop'), 'RUN_CANCELLED')).toBe(false);
    expect(hasCode(new Error('stop'), 'RUN_CANCELLED')).toBe(false);
    expect(hasCode(undefined, 'RUN_CANCELLED')).toBe(false);
  });
});
