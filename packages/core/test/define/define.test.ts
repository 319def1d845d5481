import { describe, expect, expectTypeOf, it } from 'vitest';
import type { Ref } from '../../src/context/ref.js';
import { define } from '../../src/define/define.js';
import type { OrRef } from '../../src/define/or-ref.js';
import { registry } from '../../src/define/registry.js';
import { parseRoutineId, type NamedRoutineId } from '../../src/model/routine-id.js';

type ParametersOf<Routine extends (...args: never[]) => unknown> = Parameters<Routine>;

const id = (text: string): NamedRoutineId => parseRoutineId(text) as NamedRoutineId;

describe('define', () => {
  it('gives a routine the parameters and the result of its function', () => {
    const task = define.task({ name: 'typed-async', version: '0.0.1' }, async (a: number, b?: string) => ({
      a,
      b,
    }));
    expectTypeOf(task).parameters.toEqualTypeOf<[a: OrRef<number>, b?: OrRef<string | undefined>]>();
    expectTypeOf(task).returns.toEqualTypeOf<Promise<{ a: number; b: string | undefined }>>();
    expectTypeOf(task.with({ timeoutMs: 5 })).parameters.toEqualTypeOf<
      [a: OrRef<number>, b?: OrRef<string | undefined>]
    >();

    const sync = define.workflow({ name: 'typed-sync' }, (names: readonly string[]) => names.length);
    expectTypeOf(sync).returns.toEqualTypeOf<Promise<number>>();
    expectTypeOf(sync.kind).toEqualTypeOf<'workflow'>();
  });

  it('takes a reference wherever a value belongs, and nothing else', () => {
    interface Model {
      readonly weights: Float32Array;
      readonly names: readonly string[];
      readonly layers: Map<string, Model>;
    }
    const fit = define.task(
      { name: 'typed-refs', version: '1.0.0' },
      (model: Model, pair: [number, Date]) => [model, pair],
    );
    type Arguments = ParametersOf<typeof fit>;
    expectTypeOf<[Ref<Model>, Ref<[number, Date]>]>().toExtend<Arguments>();
    expectTypeOf<[Model, [number, Ref<Date>]]>().toExtend<Arguments>();
    expectTypeOf<
      [
        { weights: Ref<Float32Array>; names: [Ref<string>, string]; layers: Map<string, Ref<Model>> },
        [Ref<number>, Date],
      ]
    >().toExtend<Arguments>();
    expectTypeOf<[Ref<string>, [number, Date]]>().not.toExtend<Arguments>();
    expectTypeOf<[Model, [Ref<string>, Date]]>().not.toExtend<Arguments>();
    expectTypeOf<[Model, [number]]>().not.toExtend<Arguments>();

    const flag = define.task({ name: 'typed-flag', version: '1.0.0' }, (on: boolean | undefined) => on);
    expectTypeOf<[Ref<boolean>]>().toExtend<ParametersOf<typeof flag>>();
    const any = define.task({ name: 'typed-any', version: '1.0.0' }, (value: unknown) => value);
    expectTypeOf<[{ deep: Ref<number> }]>().toExtend<ParametersOf<typeof any>>();
    const keeps = define.workflow({ name: 'typed-keeps', keepRefs: true }, (ref: Ref<Model>) => ref);
    expectTypeOf<[Ref<Model>]>().toExtend<ParametersOf<typeof keeps>>();
  });

  it('gives a reference to what the call would give', () => {
    const count = define.task(
      { name: 'typed-ref', version: '1.0.0' },
      async (names: string[]) => names.length,
    );
    expectTypeOf(count.ref).returns.toEqualTypeOf<Promise<Ref<number>>>();
    expectTypeOf(count.with({}).ref).returns.toEqualTypeOf<Promise<Ref<number>>>();
    type Streams<T> = Ref<T> extends ThisParameterType<Ref<T>['stream']> ? true : false;
    expectTypeOf<Streams<Float32Array>>().toEqualTypeOf<true>();
    expectTypeOf<Streams<AsyncGenerator<Uint8Array>>>().toEqualTypeOf<true>();
    expectTypeOf<Streams<number[]>>().toEqualTypeOf<false>();
  });

  it('keeps the id in its text form', () => {
    expect(define.task({ name: 'named', version: '1.2.3', project: 'news' }, () => 1).id).toBe(
      'tname:news:named:1.2.3',
    );
    expect(define.workflow({ name: 'named-workflow' }, () => 1).id).toBe('wfname:named-workflow');
  });

  it('refuses two different functions under one id, and says where both are', () => {
    define.task({ name: 'twice', version: '1.0.0' }, () => 1);
    expect(() => define.task({ name: 'twice', version: '1.0.0' }, () => 2)).toThrow(
      expect.objectContaining({
        code: 'ROUTINE_DUPLICATE',
        message: expect.stringMatching(/tname:twice:1\.0\.0.*define\.test\.ts:\d+.*define\.test\.ts:\d+/s),
      }),
    );
  });

  it('takes the same function again, and the newest options count', () => {
    const body = (): number => 1;
    define.task({ name: 'again', version: '1.0.0' }, body);
    define.task({ name: 'again', version: '1.0.0', cache: false }, body);
    expect(registry.find(id('tname:again:1.0.0')).options).toEqual({ cache: false });
    expect(registry.find(id('tname:again')).options).toEqual({ cache: false });
    expect(registry.list().filter((definition) => definition.id.name === 'again')).toHaveLength(1);
  });

  it('takes two versions, and two projects, of one name', () => {
    define.task({ name: 'many', version: '1.0.0' }, () => 1);
    define.task({ name: 'many', version: '1.0.1' }, () => 2);
    define.task({ name: 'many', version: '1.0.0', project: 'other' }, () => 3);
    expect(registry.list().filter((definition) => definition.id.name === 'many')).toHaveLength(3);
  });

  it.each([
    [{ name: 'x', version: '1.0.0' }, 'ROUTINE_ID_INVALID'],
    [{ name: 'bad name', version: '1.0.0' }, 'ROUTINE_ID_INVALID'],
    [{ name: 'good', version: '1.0.0', project: '../up' }, 'ROUTINE_ID_INVALID'],
    [{ name: 'good', version: 'one' }, 'ROUTINE_VERSION_INVALID'],
    [{ name: 'good', version: '1.0.0', timeoutMs: -1 }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', queueTimeoutMs: Number.NaN }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', cache: 'yes' as never }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', attemptTimeoutMs: 0 }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', retries: -1 }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', retries: 1.5 }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', retries: Number.POSITIVE_INFINITY }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', retries: 'twice' as never }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', retries: {} as never }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', retries: { attempts: 1, backoffMs: -1 } }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', retries: { attempts: 1, factor: 0.5 } }, 'OPTION_INVALID'],
    [
      { name: 'good', version: '1.0.0', retries: { attempts: 1, maxBackoffMs: Number.NaN } },
      'OPTION_INVALID',
    ],
    [{ name: 'good', version: '1.0.0', retries: { attempts: 1, jitter: 'some' as never } }, 'OPTION_INVALID'],
    [
      { name: 'good', version: '1.0.0', retries: { attempts: 1, nonRetryable: 'QUOTA' as never } },
      'OPTION_INVALID',
    ],
    [{ name: 'good', version: '1.0.0', retries: { attempts: 1, retryIf: true as never } }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', priority: 101 }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', priority: -101 }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', priority: 0.5 }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', priority: '1' as never }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', labels: { gpu: 1 } as never }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', labels: ['gpu'] as never }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', labels: { '': 'yes' } }, 'OPTION_INVALID'],
    [{ name: 'good', version: '1.0.0', labels: { gpu: 'x'.repeat(201) } }, 'OPTION_INVALID'],
  ])('refuses %j as %s', (options, code) => {
    expect(() => define.task(options, () => 1)).toThrow(expect.objectContaining({ code }));
  });

  it('refuses what is no function', () => {
    expect(() => define.workflow({ name: 'no-function' }, 42 as never)).toThrow(
      expect.objectContaining({ code: 'ROUTINE_BODY_INVALID' }),
    );
  });

  it('hashes the source', () => {
    define.task({ name: 'one-source', version: '1.0.0-dev' }, () => 1);
    define.task({ name: 'same-source', version: '1.0.0' }, () => 1);
    define.task({ name: 'other-source', version: '1.0.0' }, () => 2);
    const hashOf = (text: string): string | undefined => registry.find(id(text)).sourceHash;
    expect(hashOf('tname:one-source')).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOf('tname:same-source')).toBe(hashOf('tname:one-source'));
    expect(hashOf('tname:other-source')).not.toBe(hashOf('tname:one-source'));
  });
});

describe('the registry', () => {
  it('finds a routine by an id that leaves parts out, when only one fits', () => {
    define.task({ name: 'single', version: '3.0.0', project: 'news' }, () => 1);
    expect(registry.find(id('tname:single')).id.version).toBe('3.0.0');
  });

  it('names the versions there are when the one asked for is missing', () => {
    define.task({ name: 'versioned', version: '1.0.0' }, () => 1);
    define.task({ name: 'versioned', version: '2.0.0' }, () => 2);
    expect(() => registry.find(id('tname:versioned:9.0.0'))).toThrow(
      expect.objectContaining({
        code: 'ROUTINE_VERSION_UNKNOWN',
        message: expect.stringMatching(/9\.0\.0.*1\.0\.0.*2\.0\.0/s),
      }),
    );
  });

  it('names the routines there are when the one asked for is missing', () => {
    define.workflow({ name: 'known-workflow' }, () => 1);
    expect(() => registry.find(id('wfname:unknown-workflow'))).toThrow(
      expect.objectContaining({
        code: 'ROUTINE_UNKNOWN',
        message: expect.stringContaining('known-workflow'),
      }),
    );
  });
});
