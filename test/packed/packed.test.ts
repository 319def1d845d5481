import { TEMPLATES } from '../../packages/create/src/templates.js';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workshop } from './workshop.js';

// Everything here runs on the packages as they would be published: packed, and installed outside of the repository.
const templates = Object.keys(TEMPLATES);
const workshop = new Workshop();

beforeAll(() => workshop.open(templates), 300_000);
afterAll(() => workshop.close(), 120_000);

/** Builds a project and runs its tests. @returns how many passed. */
async function passed(project: string): Promise<number> {
  const { code, text } = await workshop.run('npm', ['test'], join(workshop.folder, project));
  expect(code, text).toBe(0);
  return Number(/^\W+pass (\d+)$/m.exec(text)?.[1]);
}

describe('a project of the template', () => {
  it.each([
    ['app', 2],
    ['distributed', 2],
    ['transport', 120],
    ['store', 50],
    ['codec', 60],
  ])('%s builds, and its tests pass unmodified', { timeout: 120_000 }, async (template, tests) => {
    expect(templates).toContain(template);
    expect(await passed(template)).toBeGreaterThanOrEqual(tests);
  });
});

describe('adapters of strangers', () => {
  it('pass the compliance kits', { timeout: 120_000 }, async () => {
    expect(await passed('store-sqlite')).toBeGreaterThanOrEqual(50);
    expect(await passed('transport-unix-socket')).toBeGreaterThanOrEqual(120);
  });

  it('run the sweep on a service and two workers, and remember it', { timeout: 120_000 }, async () => {
    await workshop.installStrangers();
    workshop.copy('sweep');
    const [address, file] = [`unix:${join(workshop.folder, 'sweep.sock')}`, 'results.db'];
    const sweep = async (...args: string[]): Promise<unknown> =>
      JSON.parse(await workshop.expect(process.execPath, ['sweep/client.mjs', ...args]));
    const here = await sweep('here', 'here.db');
    for (const [role, name] of [
      ['service', 'service'],
      ['worker', 'worker-1'],
      ['worker', 'worker-2'],
    ] as const)
      await workshop.start('sweep/node.mjs', role, address, name, file);
    const there = await sweep(address, file);
    const again = await sweep(address, file);
    expect(await workshop.stop()).toEqual([0, 0, 0]);
    expect(here).toMatchObject({ executed: 16, workers: ['client'] });
    expect(there).toEqual({ ...(here as object), workers: ['worker-1', 'worker-2'] });
    expect(again).toEqual({ ...(here as object), executed: 0, workers: [] });
  });
});
