import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { define, Lifecycle, type EngineEvent } from '@routine-engine/core';
import { fsStore } from '@routine-engine/store-fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let executed = 0;
const square = define.task({ name: 'square', version: '1.0.0' }, (n: number) => {
  executed += 1;
  return { n, squares: new Float64Array(1_000).fill(n * n) };
});

let dir: string;
beforeEach(async () => {
  executed = 0;
  dir = await mkdtemp(join(tmpdir(), 'store-fs-engine-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** Calls the task in a lifecycle of its own, as a program that is started again does. */
async function callOnce(
  n: number,
): Promise<{ value: Awaited<ReturnType<typeof square>>; events: EngineEvent[] }> {
  const events: EngineEvent[] = [];
  await using lifecycle = await Lifecycle.init({ project: 'test', plugins: [fsStore({ dir })] });
  lifecycle.events$.subscribe((event) => events.push(event));
  return { value: await square(n), events };
}

async function resultFiles(): Promise<string[]> {
  const all = await readdir(dir, { recursive: true, withFileTypes: true });
  return all.flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []));
}

describe('a program with a directory of results', () => {
  it('finds what an earlier start computed', async () => {
    const first = await callOnce(3);
    const second = await callOnce(3);
    expect(second.value).toEqual(first.value);
    expect(executed).toBe(1);
    expect(second.events.map((event) => event.type)).toEqual(['run.requested', 'store.hit', 'run.cached']);
  });

  it('computes a damaged result again, tells it, and finds it whole the next time', async () => {
    const first = await callOnce(4);
    const [file = ''] = await resultFiles();
    const bytes = await readFile(file);
    bytes[bytes.length - 100]! ^= 1;
    await writeFile(file, bytes);

    const second = await callOnce(4);
    expect(second.value).toEqual(first.value);
    expect(executed).toBe(2);
    expect(second.events.map((event) => event.type)).toEqual([
      'run.requested',
      'store.corrupt',
      'store.miss',
      'run.starting',
      'store.put',
      'run.completed',
    ]);

    await callOnce(4);
    expect(executed).toBe(2);
  });
});
