import assert from 'node:assert/strict';
import { it } from 'node:test';
import { expectStatuses, testCluster } from '@routine-engine/transport-inproc/testing';
import { countAll, countWords } from '../src/routines.js';

it('counts words', async () => {
  assert.equal(await countWords(' one two\nthree '), 3);
  assert.equal(await countWords(''), 0);
});

it('counts all words, also when a worker crashes', async () => {
  const cluster = await testCluster({ workers: 2 });
  try {
    const count = cluster.run(() => countAll(['one two', 'three']));
    await cluster.until('run.dispatched');
    cluster.crash('worker-1');
    assert.equal(await count, 3);
    expectStatuses(cluster.timeline().run('count-all'), ['PENDING', 'RUNNING', '...', 'DONE']);
  } finally {
    await cluster.close();
  }
});
