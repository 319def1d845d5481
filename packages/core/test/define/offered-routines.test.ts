import { describe, expect, it } from 'vitest';
import { offeredRoutines } from '../../src/define/offered-routines.js';
import { define, Lifecycle } from '../../src/index.js';
import { registry } from '../../src/define/registry.js';
import type { RoutineDefinition } from '../../src/model/routine-definition.js';
import { parseRoutineId, type NamedRoutineId } from '../../src/model/routine-id.js';
import type { RoutineCatalog } from '../../src/ports/routine-catalog.js';

const definition = (
  id: string,
  definedAt: string,
  more: Partial<RoutineDefinition> = {},
): RoutineDefinition => {
  const parsed = parseRoutineId(id) as NamedRoutineId;
  return { kind: parsed.kind, id: parsed, body: () => definedAt, options: {}, definedAt, ...more };
};
const catalog = (...definitions: RoutineDefinition[]): RoutineCatalog => ({
  list: () => definitions,
  triggers: [],
  find: () => expect.unreachable(),
  get: () => expect.unreachable(),
});

describe('the routines that are offered', () => {
  it('have full ids, and the hash of a source that still changes', () => {
    const offered = catalog(
      definition('tname:train:1.0.0', 'a'),
      definition('tname:test:eval:1.0.0-dev', 'b', { sourceHash: 'abc' }),
      definition('wfname:best', 'c'),
    );
    expect(offeredRoutines(offered, 'test')).toEqual([
      { routineId: 'tname:test:train:1.0.0' },
      { routineId: 'tname:test:eval:1.0.0-dev', sourceHash: 'abc' },
      { routineId: 'wfname:test:best' },
    ]);
  });

  it('are those of the project, and those that name none', () => {
    const offered = catalog(definition('wfname:other:best', 'a'), definition('wfname:best', 'b'));
    expect(offeredRoutines(offered, 'test')).toEqual([{ routineId: 'wfname:test:best' }]);
  });

  it('are refused when two functions have one full id, and both places are named', () => {
    const offered = catalog(
      definition('wfname:best', 'one.ts:1:1'),
      definition('wfname:test:best', 'two.ts:2:2'),
    );
    expect(() => offeredRoutines(offered, 'test')).toThrow(
      expect.objectContaining({
        code: 'ROUTINE_DUPLICATE',
        message: expect.stringMatching(/wfname:test:best.*one\.ts:1:1.*two\.ts:2:2/s),
      }),
    );
  });

  it('are offered once when one function was defined with and without its project', () => {
    const body = (): number => 1;
    const offered = catalog(
      definition('wfname:best', 'a', { body }),
      definition('wfname:test:best', 'b', { body }),
    );
    expect(offeredRoutines(offered, 'test')).toEqual([{ routineId: 'wfname:test:best' }]);
  });
});

describe('two functions with one full id', () => {
  it('are refused when a lifecycle of their project opens, and when they are called if they came later', async () => {
    const without = define.task({ name: 'same', version: '1.0.0' }, () => 'without');
    await using lifecycle = await Lifecycle.init({ project: 'test' });
    expect(await without()).toBe('without');
    const within = define.task({ name: 'same', version: '1.0.0', project: 'test' }, () => 'within');

    const refused = {
      code: 'ROUTINE_DUPLICATE',
      message: expect.stringMatching(/offered-routines\.test\.ts/),
    };
    await expect(within()).rejects.toMatchObject(refused);
    await expect(within.with({ cache: false })()).rejects.toMatchObject(refused);
    await expect(lifecycle.call('tname:same:1.0.0')).rejects.toMatchObject(refused);
    expect(() => registry.find(parseRoutineId('tname:test:same:1.0.0') as NamedRoutineId)).toThrow(
      expect.objectContaining(refused),
    );
    await expect(Lifecycle.init({ project: 'test' })).rejects.toMatchObject(refused);
    await using other = await Lifecycle.init({ project: 'other' });
    expect(await other.run(without)).toBe('without');
  });
});
