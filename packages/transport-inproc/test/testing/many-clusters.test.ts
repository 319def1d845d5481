import { define } from '@routine-engine/core';
import { pause, testCluster } from '@routine-engine/transport-inproc/testing';
import { expect, it } from 'vitest';

const CLUSTERS = 1_000;

const half = define.task({ name: 'half', version: '1.0.0' }, async (n: number) => {
  await pause(50);
  return n / 2;
});
const halves = define.workflow({ name: 'halves' }, (...numbers: number[]) =>
  Promise.all(numbers.map((n) => half(n))),
);

it('a thousand clusters, each with a worker that crashes, give what they should and leave nothing open', async () => {
  const before = process.getActiveResourcesInfo().filter((resource) => resource !== 'Timeout').length;
  const startedAt = performance.now();
  let virtualMs = 0;
  let retried = 0;
  for (let seed = 1; seed <= CLUSTERS; seed += 1) {
    const cluster = await testCluster({ workers: 2, seed });
    const call = cluster.run(() => halves(seed, 2 * seed, 3 * seed));
    const { worker } = await cluster.until('run.starting', ({ routineId }) => routineId.includes('half:'));
    cluster.crash(worker);
    expect(await call).toEqual([seed / 2, seed, 1.5 * seed]);
    retried += cluster.events.filter(({ type }) => type === 'run.retrying').length;
    await cluster.close();
    virtualMs += cluster.clock.monotonic();
  }
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`${CLUSTERS} clusters in ${seconds} s; ${Math.round(virtualMs / 1_000)} s of virtual time`);
  expect(retried).toBeGreaterThanOrEqual(CLUSTERS);
  expect(process.getActiveResourcesInfo().filter((resource) => resource !== 'Timeout')).toHaveLength(before);
}, 120_000);
