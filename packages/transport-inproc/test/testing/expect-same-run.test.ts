import {
  everythingRemote,
  executionPolicy,
  type EnginePlugin,
  type LifecycleOptions,
} from '@routine-engine/core';
import { EVENT_FEED, provide, type Token } from '@routine-engine/core/adapter';
import { AssertionError } from 'node:assert';
import { embeddedCluster } from '@routine-engine/transport-inproc';
import { expectSameRun } from '@routine-engine/transport-inproc/testing';
import { describe, expect, it } from 'vitest';
import { add, failing, reports, sorted, total, tree } from '../fixtures/routines.ts';
import { callsQuick } from '../fixtures/trigger-routines.ts';

const composed = (...plugins: EnginePlugin[]): LifecycleOptions => ({ project: 'test', plugins });
const clusterOf = (workers: number, ...files: string[]): EnginePlugin =>
  embeddedCluster({ workers, modules: files.map((file) => new URL(`../fixtures/${file}`, import.meta.url)) });

const local = (): LifecycleOptions => composed();
const oneWorker = (): LifecycleOptions => composed(clusterOf(1, 'routines.ts', 'trigger-routines.ts'));
const allRemote = (): LifecycleOptions =>
  composed(clusterOf(2, 'routines.ts', 'trigger-routines.ts'), executionPolicy(everythingRemote));
const skewed = (): LifecycleOptions =>
  composed(clusterOf(1, 'skewed-routines.ts'), executionPolicy(everythingRemote));

/** Tells the end of every run twice. */
const repeats = (): LifecycleOptions => {
  const part = provide(Symbol.for('test/repeats') as Token<unknown>, (parts) => {
    const feed = parts.get(EVENT_FEED);
    const told = new Set<unknown>();
    feed.events$.subscribe((event) => {
      if (event.type !== 'run.completed' || told.has(event)) return;
      told.add(event);
      feed.emit(event);
    });
  });
  return composed({ name: 'repeats', api: '^0.1.0', parts: [part] });
};

describe('a run is the same', () => {
  it('with its value', async () => {
    expect(await expectSameRun(total, [[1, 2, 3]], [local, oneWorker, allRemote])).toBe(12);
    expect(await expectSameRun(sorted, [[3, 1, 2]], [local, allRemote])).toEqual([1, 2, 3]);
  });

  it('with its failure', async () => {
    expect(await expectSameRun(failing, [11], [local, oneWorker, allRemote])).toBeUndefined();
  });

  it('with a tree of runs', async () => {
    expect(await expectSameRun(tree, [3], [local, oneWorker, allRemote])).toBe(8);
  });

  it('with the triggers that answer it', async () => {
    expect(await expectSameRun(callsQuick, [], [local, oneWorker, allRemote])).toBe('done');
  });

  it('when only its root is looked at', async () => {
    expect(await expectSameRun(total, [[1, 2, 3]], [local, oneWorker], { runs: 'root' })).toBe(12);
  });
});

describe('a run that differs is refused', () => {
  const messageOf = async (work: Promise<unknown>): Promise<string> => {
    const error = await work.then(
      () => expect.unreachable(),
      (refused: unknown) => refused,
    );
    expect(error).toBeInstanceOf(AssertionError);
    return (error as Error).message;
  };

  it('by its value', async () => {
    expect(await messageOf(expectSameRun(add, [5, 3], [local, skewed]))).toBe(
      'The run differs at result: 8 under local, 2 under skewed',
    );
    expect(await messageOf(expectSameRun(sorted, [[2, 1]], [local, skewed]))).toBe(
      'The run differs at result: [ 1, 2 ] under local, { list: [ 2, 1 ], isSorted: false } under skewed',
    );
  });

  it('by a part of its value, which is named', async () => {
    expect(await messageOf(expectSameRun(reports, [], [local, oneWorker]))).toMatch(
      /^The run differs at result\.runId: '\S+' under local, '\S+' under oneWorker$/,
    );
  });

  it('by its failure', async () => {
    expect(await messageOf(expectSameRun(failing, [11], [local, skewed]))).toBe(
      "The run differs at outcome.error.code: 'QUOTA' under local, undefined under skewed",
    );
  });

  it('by the runs that it led to', async () => {
    expect(await messageOf(expectSameRun(total, [[1, 2, 3]], [local, skewed]))).toBe(
      'The run differs at runs > wfname:test:total > tname:test:add:1.0.0: ' +
        'tname:test:add:1.0.0: requested, answered under local, no such run under skewed',
    );
  });

  it('by an end that is told twice', async () => {
    await expect(expectSameRun(add, [1, 2], [repeats, local])).rejects.toMatchObject({
      message: expect.stringMatching(
        /^Under repeats the events of tname:test:add:1\.0\.0 .*answered, answered$/,
      ),
    });
  });

  it('when there is nothing to compare with', async () => {
    await expect(expectSameRun(add, [1, 2], [local])).rejects.toThrow('two compositions');
  });
});
