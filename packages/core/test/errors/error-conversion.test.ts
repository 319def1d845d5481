import { describe, expect, it } from 'vitest';
import { fromPlainError, toPlainError } from '../../src/errors/error-conversion.js';
import { ERROR_LIMITS } from '../../src/errors/error-limits.js';
import type { PlainError } from '../../src/errors/plain-error.js';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';

const roundTrip = (error: unknown): Error => fromPlainError(structuredClone(toPlainError(error)));

describe('an error that crosses to another node', () => {
  it.each([
    new Error('plain'),
    new TypeError('type'),
    new RangeError('range'),
    new SyntaxError('syntax'),
    new ReferenceError('reference'),
    new EvalError('eval'),
    new URIError('uri'),
    new AggregateError([], 'many'),
  ])('keeps its class and message: %s', (error) => {
    const arrived = roundTrip(error);
    expect(arrived.constructor).toBe(error.constructor);
    expect(arrived.message).toBe(error.message);
    expect(Object.keys(arrived)).toEqual([]);
  });

  it('keeps the name of a class that the other node does not know', () => {
    class TrainingFailed extends TypeError {
      override name = 'TrainingFailed';
    }
    class Unnamed extends Error {}
    for (const [error, name] of [
      [new TrainingFailed('a'), 'TrainingFailed'],
      [new Unnamed('b'), 'Unnamed'],
    ] as const) {
      const arrived = roundTrip(error);
      expect(arrived).toBeInstanceOf(Error);
      expect(arrived.name).toBe(name);
      expect(Object.keys(arrived)).toEqual([]);
      expect(String(arrived)).toBe(`${name}: ${error.message}`);
    }
  });

  it('of this project keeps its code and whether it may be tried again', () => {
    const arrived = roundTrip(new RoutineEngineError('WORKER_BUSY', 'no slot'));
    expect(arrived).toBeInstanceOf(RoutineEngineError);
    expect(arrived).toMatchObject({ code: 'WORKER_BUSY', retryable: true, message: 'no slot' });
  });

  it('with a code of this project that is not known here arrives as an Error', () => {
    const arrived = fromPlainError({ name: 'RoutineEngineError', code: 'FROM_THE_FUTURE', message: 'm' });
    expect(arrived).toMatchObject({ name: 'RoutineEngineError', code: 'FROM_THE_FUTURE', message: 'm' });
    expect(arrived.constructor).toBe(Error);
  });

  it('keeps code and own properties of plain types', () => {
    const error = Object.assign(new Error('e'), {
      code: 'ENOENT',
      errno: -2,
      path: '/x',
      ok: false,
      none: null,
    });
    expect(Object.fromEntries(Object.entries(roundTrip(error)))).toEqual({
      code: 'ENOENT',
      errno: -2,
      path: '/x',
      ok: false,
      none: null,
    });
  });

  it('leaves out own properties of other types', () => {
    const error = Object.assign(new Error('e'), {
      request: {},
      f() {},
      missing: undefined,
      bad: NaN,
      kept: 1,
    });
    expect(Object.fromEntries(Object.entries(roundTrip(error)))).toEqual({ kept: 1 });
  });

  it('keeps its chain of causes', () => {
    const arrived = roundTrip(new Error('a', { cause: new TypeError('b', { cause: 'because' }) }));
    expect(arrived.cause).toBeInstanceOf(TypeError);
    expect((arrived.cause as Error).cause).toBe('because');
    expect(Object.keys(arrived)).toEqual([]);
  });

  it('keeps the parts of an AggregateError, and those that are no errors as errors that show them', () => {
    const arrived = roundTrip(new AggregateError([new RangeError('r'), 7], 'many')) as AggregateError;
    expect(arrived.errors[0]).toBeInstanceOf(RangeError);
    expect(arrived.errors[1]).toMatchObject({
      code: 'ROUTINE_THREW_NON_ERROR',
      message: expect.stringContaining('7'),
    });
  });

  it('keeps parts that another class has', () => {
    const error = Object.assign(new RoutineEngineError('LIFECYCLE_STOP_FAILED', 'm'), {
      errors: [new Error('one')],
    });
    expect((roundTrip(error) as Error & { errors: Error[] }).errors[0]?.message).toBe('one');
  });

  it('keeps an abort reason, which is no native error', () => {
    const { reason } = AbortSignal.abort();
    expect(roundTrip(reason)).toMatchObject({ name: 'AbortError', code: 20, message: reason.message });
  });

  it('has both stacks, with the place between them', () => {
    const error = new Error('far away');
    error.stack = 'Error: far away\n    at remote (far.js:1:1)';
    const arrived = fromPlainError(toPlainError(error), { where: 'tname:news:train:0.0.1' });
    const [remote, mark, local] = splitStack(arrived);
    expect(remote).toBe('Error: far away\n    at remote (far.js:1:1)');
    expect(mark).toBe('    --- called from tname:news:train:0.0.1 ---');
    expect(local).toContain('error-conversion.test');
    expect(local).not.toContain('fromPlainError');
  });

  it('leaves the stacks of causes as they were', () => {
    const cause = new Error('below');
    expect((roundTrip(new Error('above', { cause })).cause as Error).stack).toBe(cause.stack);
  });

  it('does not grow without bound when it is handed on and on', () => {
    let error: Error = Object.assign(new Error('e', { cause: 'text' }), { code: 'X' });
    for (let hop = 0; hop < 50; hop += 1) error = roundTrip(error);
    expect(error.stack?.split('--- called from')).toHaveLength(ERROR_LIMITS.handovers + 1);
    expect(error).toMatchObject({ message: 'e', cause: 'text', code: 'X' });
  });
});

describe('the plain form of an error', () => {
  it('has no more causes than the limit', () => {
    let error = new Error('root');
    for (let level = 0; level < 100; level += 1) error = new Error(`level ${level}`, { cause: error });
    expect(depthOf(toPlainError(error))).toBe(ERROR_LIMITS.causes);
  });

  it('ends at a cause that comes round again', () => {
    const error = new Error('ouroboros');
    error.cause = new Error('between', { cause: error });
    expect(toPlainError(error).cause).toMatchObject({ error: { cause: { text: '[circular] ouroboros' } } });
  });

  it('ends at parts that come round again', () => {
    const error = new AggregateError([], 'm');
    error.errors.push(error, new Error('other'));
    expect(toPlainError(error).errors).toHaveLength(1);
  });

  it('has no more parts than the limit, at all depths together', () => {
    const many = (inner: () => Error): Error => new AggregateError(Array.from({ length: 90 }, inner), 'm');
    const plain = toPlainError(many(() => many(() => new Error('leaf'))));
    expect(partsOf(plain)).toBe(ERROR_LIMITS.parts);
  });

  it('has no longer texts than the limit', () => {
    const long = 'x'.repeat(1_000_000);
    const error = Object.assign(new Error(long), { code: long, note: long, stack: long });
    const plain = toPlainError(error);
    for (const text of [plain.message, plain.stack, plain.code, plain.properties?.['note']]) {
      expect(text).toHaveLength(ERROR_LIMITS.textLength);
      expect(text).toMatch(/\.\.\. \[cut\]$/);
    }
  });

  it('has no more properties than the limit', () => {
    const error = Object.assign(
      new Error('e'),
      Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`p${i}`, i])),
    );
    expect(Object.keys(toPlainError(error).properties ?? {})).toHaveLength(ERROR_LIMITS.properties);
  });

  it.each<[string, unknown, string | RegExp]>([
    ['a string', 'oops', "'oops'"],
    ['undefined', undefined, 'undefined'],
    ['an object', { status: 500 }, '{ status: 500 }'],
    ['a huge array', Array(1e6).fill(7), '999995 more items'],
    [
      'an object with a hostile getter',
      Object.defineProperty({}, Symbol.toStringTag, { get: fail }),
      // Newer versions of Node show it, older ones run the getter.
      /cannot be shown|\{\}/,
    ],
    ['an object with a hostile toString', { toString: fail, toJSON: fail }, 'toString'],
    ['a proxy that always throws', hostileProxy(), ''],
  ])('of %s that was thrown shows it', (_, thrown, shown) => {
    const plain = toPlainError(thrown);
    expect(plain).toMatchObject({ name: 'RoutineEngineError', code: 'ROUTINE_THREW_NON_ERROR' });
    expect(plain.message).toMatch(shown);
    expect(plain.message.length).toBeLessThan(300);
  });

  it('is made of an error whose getters throw', () => {
    const error = new Error('e');
    // The stack first: to replace it, V8 makes it, and asks for the message.
    for (const key of ['stack', 'message', 'name', 'code', 'cause', 'errors', 'extra']) {
      Object.defineProperty(error, key, { get: fail, enumerable: true });
    }
    expect(toPlainError(error)).toEqual({ name: 'Error', message: '' });
  });
});

describe('the error of a plain form', () => {
  it('sets no property that would reach a prototype or replace what an error has', () => {
    const properties = JSON.parse(
      '{"__proto__": 1, "constructor": 2, "prototype": 3, "stack": 4, "message": 5, "name": 6, "cause": 7, "errors": 8, "ok": 9}',
    );
    const arrived = fromPlainError({ name: 'Error', message: 'm', properties });
    expect(Object.keys(arrived)).toEqual(['ok']);
    expect(Object.getPrototypeOf(arrived)).toBe(Error.prototype);
    expect(arrived.message).toBe('m');
  });

  it('has a first line even when there was no stack', () => {
    expect(fromPlainError({ name: 'Gone', message: 'm' }).stack).toMatch(
      /^Gone: m\n {4}--- called from ---\n/,
    );
  });
});

function splitStack(error: Error): string[] {
  const stack = error.stack ?? '';
  const start = stack.indexOf('    --- called from');
  const end = stack.indexOf('\n', start);
  return [stack.slice(0, start - 1), stack.slice(start, end), stack.slice(end + 1)];
}

function depthOf(plain: PlainError): number {
  return plain.cause && 'error' in plain.cause ? 1 + depthOf(plain.cause.error) : 0;
}

function partsOf(plain: PlainError): number {
  return (plain.errors ?? []).reduce((sum, part) => sum + 1 + partsOf(part), 0);
}

function fail(): never {
  throw new Error('hostile');
}

function hostileProxy(): object {
  return new Proxy({}, new Proxy({}, { get: () => fail }));
}
