import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lifecycle, type Ref } from '@routine-engine/core';
import { fsStore } from '@routine-engine/store-fs';
import { embeddedCluster } from '@routine-engine/transport-inproc';
import { describe, expect, it, onTestFinished } from 'vitest';
import { kept, newest, table, total } from './nested-routines.ts';

type Table = { readonly title: string; readonly rows: readonly Float64Array[] };
/** One row in the head of its result, and one that is a blob. */
const LENGTHS = [3, 50_000];
const TOTALS = [9, 2_500_000_000];

async function open(workers: number): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'routine-engine-'));
  const modules = [new URL('./nested-routines.ts', import.meta.url)];
  const cluster = workers > 0 ? [embeddedCluster({ workers, modules })] : [];
  const lifecycle = await Lifecycle.init({
    project: 'test',
    plugins: [fsStore({ dir, fsync: false }), ...cluster],
  });
  onTestFinished(async () => {
    await lifecycle.shutdown();
    await rm(dir, { recursive: true });
  });
}

describe.each([0, 1, 2])('a result that holds references, with %i workers', (workers) => {
  it('is resolved with all it refers to where a routine takes it, and only there', async () => {
    await open(workers);
    const ref = (await table.ref(LENGTHS)) as unknown as Ref<Table>;
    expect(await total(ref)).toEqual(TOTALS);
    expect(await kept(ref)).toBe(2);
    const { rows } = await ref.value();
    expect(await (rows[1] as unknown as Ref<Float64Array>).value()).toHaveLength(50_000);
  });

  it('may itself be referred to by a result', async () => {
    await open(workers);
    const twice = (await newest.ref(LENGTHS)) as unknown as Ref<Table>;
    expect(await total(twice)).toEqual(TOTALS);
  });
});
