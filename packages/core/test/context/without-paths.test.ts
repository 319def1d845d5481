import { describe, expect, it } from 'vitest';
import { stepsOf, withoutPaths } from '../../src/context/without-paths.js';

describe('paths of arguments', () => {
  it.each([
    ['args[0]', [0]],
    ['args[1].logger', [1, 'logger']],
    ['args[0].a.b[3]["any \\"key\\""]', [0, 'a', 'b', 3, 'any "key"']],
  ])('are read: %s', (path, steps) => {
    expect(stepsOf(path)).toEqual(steps);
  });

  it.each([
    '',
    'args',
    '[0]',
    'args[',
    'args[-1]',
    'args.0',
    'args[0]..a',
    'args[0] .a',
    "args['a']",
    'rgs[0]',
  ])('are refused when they are none: %j', (path) => {
    expect(() => stepsOf(path)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});

describe('arguments without some of their parts', () => {
  const logger = new Map();
  const args = Object.freeze([1, Object.freeze({ rate: 2, logger, deep: Object.freeze([{ a: 1, b: 2 }]) })]);

  it('lack those, and share the rest', () => {
    expect(withoutPaths(args, ['args[1].logger'])).toEqual([1, { rate: 2, deep: [{ a: 1, b: 2 }] }]);
    expect(withoutPaths(args, ['args[1].deep[0].b', 'args[0]'])).toEqual([
      undefined,
      { rate: 2, logger, deep: [{ a: 1 }] },
    ]);
    expect(withoutPaths([1, 2, 3], ['args[1]', 'args[2]'])).toEqual([1]);
    expect((withoutPaths(args, ['args[0]'])[1] as object) === args[1]).toBe(true);
  });

  it('are the same when there is no such part', () => {
    expect(withoutPaths(args, ['args[5]', 'args[1].none', 'args[0].x', 'args[1].logger.size'])).toEqual(args);
  });

  it('are not found by way of a prototype', () => {
    const [object] = withoutPaths([{ a: 1 }], ['args[0].toString', 'args[0].__proto__']);
    expect(object).toEqual({ a: 1 });
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype);
  });
});
