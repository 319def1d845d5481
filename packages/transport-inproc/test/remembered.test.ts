import { memoryStore } from '@routine-engine/core';
import { describe, expect, it } from 'vitest';
import { cluster, local, type Opened } from './fixtures/engines.ts';
import { add, changing, failing, total, unremembered } from './fixtures/routines.ts';

const executed = ({ events }: Opened): string[] =>
  events.flatMap((event) => (event.type === 'run.starting' ? [event.routineId.split(':').at(2) ?? ''] : []));

describe.each([
  ['the local engine', () => local(memoryStore())],
  ['a cluster of two workers', () => cluster(2)(memoryStore())],
])('%s', (_, start) => {
  it('runs a task once for the same arguments', async () => {
    await using opened = await start();
    expect(await total([1, 1, 1])).toBe(6);
    // Three equal calls at once share the run of 1 + 1; then come 0 + 2, 2 + 2 and 4 + 2.
    expect(executed(opened).filter((name) => name === 'add')).toHaveLength(4);
    expect(await total([1, 1, 1])).toBe(6);
    expect(executed(opened).filter((name) => name === 'add')).toHaveLength(4);
  });

  it('tells whether a result came from the store or from a run that was under way', async () => {
    await using opened = await start();
    await total([5, 5]);
    await total([5, 5]);
    const from = opened.events.flatMap((event) => (event.type === 'run.cached' ? [event.from] : []));
    expect(from).toContain('shared');
    expect(from).toContain('store');
  });

  it('runs a task again when an argument differs, in kind too', async () => {
    await using opened = await start();
    await add(1, 2);
    await add(2, 1);
    await add('1' as never, 2);
    expect(executed(opened)).toHaveLength(3);
  });

  it('runs a workflow every time', async () => {
    await using opened = await start();
    await total([]);
    await total([]);
    expect(executed(opened)).toEqual(['total', 'total']);
  });

  it('runs a failed task again', async () => {
    await using opened = await start();
    await expect(failing(1)).rejects.toThrow('used 1 of 10');
    await expect(failing(1)).rejects.toThrow('used 1 of 10');
    expect(executed(opened)).toHaveLength(2);
  });

  it('runs a task every time that is not to be remembered', async () => {
    await using opened = await start();
    await unremembered(1);
    await unremembered(1);
    await add.with({ cache: false })(7, 7);
    await add.with({ cache: false })(7, 7);
    expect(executed(opened)).toHaveLength(4);
  });

  it('remembers a version that still changes, by its source', async () => {
    await using opened = await start();
    await changing(4);
    await changing(4);
    expect(executed(opened)).toHaveLength(1);
  });
});
