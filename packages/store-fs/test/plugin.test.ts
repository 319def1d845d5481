import {
  CLOCK,
  NODE_IDENTITY,
  type PartGetter,
  RESULT_STORE,
  type ResultStore,
} from '@routine-engine/core/adapter';
import { describe, expect, it } from 'vitest';
import { fsStore, type FsStoreOptions } from '../src/index.ts';
import { KEY, newDirectory, resultOf } from './place.ts';

const parts = {
  get: (token: symbol) => {
    if (token === CLOCK) return { now: () => 42 };
    if (token === NODE_IDENTITY) return { name: 'worker-1', project: 'news' };
    throw new Error(`${String(token)} is not needed`);
  },
} as PartGetter;

describe('fsStore', () => {
  it('provides a result store on the directory, which is closed when the lifecycle stops', async () => {
    const dir = newDirectory();
    const [part] = fsStore({ dir }).parts;
    expect(part?.token).toBe(RESULT_STORE);
    const store = part?.build(parts) as ResultStore;
    expect(store.identity).toBe(`fs:${dir}`);
    expect(await store.put(KEY, resultOf(10))).toBe('stored');
    await part?.hooks.stop?.(store);
    await expect(store.get(KEY)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('touches nothing before the lifecycle builds its parts', () => {
    expect(() => fsStore({ dir: '/proc/cannot/be/made' })).not.toThrow();
  });

  it.each([
    ['no directory', {}],
    ['an empty directory', { dir: '' }],
    ['a directory with a zero character', { dir: 'a\0b' }],
    ['fsync that is neither true nor false', { dir: 'results', fsync: 'no' }],
  ])('refuses %s', (_, options) => {
    expect(() => fsStore(options as FsStoreOptions)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });
});
