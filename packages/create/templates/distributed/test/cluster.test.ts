import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { testCluster } from '@routine-engine/transport-inproc/testing';
import { openClient, openService, openWorker } from '../src/nodes.js';
import { countAll } from '../src/routines.js';

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
}

it('counts words on a service and two workers', { timeout: 60_000 }, async () => {
  const results = await mkdtemp(join(tmpdir(), 'results-'));
  const port = await freePort();
  const place = { url: `ws://127.0.0.1:${port}/`, results };
  const service = await openService(port);
  const workers = await Promise.all([openWorker('worker-1', place), openWorker('worker-2', place)]);
  const client = await openClient(place);
  const ranOn = new Set<string>();
  client.events$.subscribe((event) => {
    if (event.type === 'run.starting') ranOn.add(event.worker);
  });
  try {
    assert.equal(await client.run(() => countAll(['one two', 'three', 'four'])), 4);
    assert.deepEqual([...ranOn].toSorted().slice(0, 2), ['client', 'worker-1']);
  } finally {
    for (const lifecycle of [client, ...workers, service]) await lifecycle.shutdown();
    await rm(results, { recursive: true });
  }
});

it('counts words, also when the service crashes', async () => {
  const cluster = await testCluster({ workers: 2 });
  try {
    const count = cluster.run(() => countAll(['one two', 'three']));
    await cluster.until('run.dispatched');
    cluster.crash('service');
    await cluster.advance(2_000);
    await cluster.restart('service');
    assert.equal(await count, 3);
  } finally {
    await cluster.close();
  }
});
