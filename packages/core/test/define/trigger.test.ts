import { describe, expect, expectTypeOf, it } from 'vitest';
import { registry } from '../../src/define/registry.js';
import { define, type Ref } from '../../src/index.js';
import { offeredRoutines } from '../../src/define/offered-routines.js';

const train = define.task({ name: 'train', version: '1.0.0' }, (epochs: number) => ({ epochs }));
const nothing = (): void => undefined;

describe('define.trigger', () => {
  it('names the handler after the routine and what it answers', () => {
    const trigger = define.trigger({ on: train, when: ['cached', 'completed'] }, nothing);
    expect(trigger).toEqual({
      id: 'wfname:on-train-completed-cached',
      on: 'tname:train:1.0.0',
      when: ['completed', 'cached'],
    });
  });

  it('takes an id in place of a routine, and a name and project of its own', () => {
    const options = { on: 'tname:train', when: 'failed', name: 'alarm', project: 'news' } as const;
    expect(define.trigger(options, nothing)).toEqual({
      id: 'wfname:news:alarm',
      on: 'tname:train',
      when: ['failed'],
    });
  });

  it('is offered with the project filled in', () => {
    define.trigger({ on: train, when: 'failed', name: 'offered', timeoutMs: 50 }, nothing);
    const offered = offeredRoutines(registry, 'test').find(
      ({ routineId }) => routineId === 'wfname:test:offered',
    );
    expect(offered?.trigger).toEqual({
      on: 'tname:test:train:1.0.0',
      when: ['failed'],
      options: { timeoutMs: 50 },
    });
  });

  it('gives the handler the type of the result', () => {
    define.trigger({ on: train, when: ['completed', 'cached'], name: 'typed' }, (finished) => {
      expectTypeOf(finished.result).toEqualTypeOf<Ref<{ epochs: number }> | undefined>();
      expectTypeOf(finished.when).toEqualTypeOf<'completed' | 'cached'>();
    });
    define.trigger({ on: train, when: 'failed', name: 'typed-failed' }, (finished) => {
      expectTypeOf(finished.error.message).toEqualTypeOf<string>();
    });
    define.trigger({ on: train, when: ['completed', 'failed'], name: 'typed-both' }, (finished) => {
      if (finished.when === 'failed') expectTypeOf(finished.error.name).toEqualTypeOf<string>();
      else expectTypeOf(finished.result).toEqualTypeOf<Ref<{ epochs: number }> | undefined>();
    });
    define.trigger({ on: 'wfname:any', when: 'completed' }, (finished) => {
      expectTypeOf(finished.result).toEqualTypeOf<Ref<unknown> | undefined>();
    });
  });

  it.each([
    ['no routine', { on: 7 as unknown as string, when: 'failed' as const }, 'OPTION_INVALID', /on is 7/],
    ['a record', { on: 'tdb:abc', when: 'failed' as const }, 'OPTION_INVALID', /tdb:abc/],
    ['no id', { on: 'train', when: 'failed' as const }, 'ROUTINE_ID_INVALID', /train/],
    [
      'another end',
      { on: train, when: 'cancelled' as 'failed' },
      'OPTION_INVALID',
      /'completed', 'failed', 'cached'/,
    ],
    ['no end', { on: train, when: [] }, 'OPTION_INVALID', /when is \[\]/],
    ['an end twice', { on: train, when: ['failed', 'failed'] as const }, 'OPTION_INVALID', /each once/],
    [
      'a filter that is none',
      { on: train, when: 'failed' as const, filter: 'all' as unknown as () => boolean },
      'OPTION_INVALID',
      /filter is 'all'/,
    ],
    [
      'a function about retries',
      { on: train, when: 'failed' as const, name: 'retries', retries: { attempts: 1, retryIf: () => true } },
      'OPTION_INVALID',
      /retryIf/,
    ],
    ['a name that is none', { on: train, when: 'failed' as const, name: 'a b' }, 'ROUTINE_ID_INVALID', /a b/],
    [
      'its own handler',
      { on: 'wfname:again', when: 'completed' as const, name: 'again' },
      'OPTION_INVALID',
      /wfname:again is a trigger on its own handler/,
    ],
  ])('refuses %s', (_, options, code, message) => {
    expect(() => define.trigger(options, nothing)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it('refuses what is no handler, and a second trigger of one name', () => {
    const options = { on: train, when: 'cached', name: 'twice' } as const;
    expect(() => define.trigger(options, 'handler' as unknown as () => void)).toThrow(
      expect.objectContaining({ code: 'ROUTINE_BODY_INVALID' }),
    );
    define.trigger(options, nothing);
    expect(() => define.trigger(options, nothing)).toThrow(
      expect.objectContaining({
        code: 'ROUTINE_DUPLICATE',
        message: expect.stringContaining('trigger.test.ts'),
      }),
    );
  });
});
