import assert from 'node:assert/strict';
import { it } from 'node:test';
import { define, executionPolicy, everythingRemote } from '@routine-engine/core';
import { MsgpackrCodec } from '@routine-engine/core/adapter';
import { testCluster } from '@routine-engine/transport-inproc/testing';
import { GzipCodec, gzipCodec } from '../src/index.js';

it('makes long values shorter', () => {
  const codec = new GzipCodec(new MsgpackrCodec());
  const text = 'long '.repeat(10_000);
  const { head, buffers } = codec.encode(text);
  assert.ok(head.byteLength < 1_000);
  assert.equal(codec.decode({ head, buffers }), text);
});

it('carries arguments and results of a cluster', async () => {
  const reverse = define.task({ name: 'reverse', version: '1.0.0' }, (list: readonly string[]) =>
    list.toReversed(),
  );
  const list = Array.from({ length: 1_000 }, (_, index) => `item ${index}`);
  const plugins = [gzipCodec(), executionPolicy(everythingRemote)];
  const cluster = await testCluster({ workers: 1, plugins });
  try {
    assert.deepEqual(await cluster.run(() => reverse(list)), list.toReversed());
    assert.deepEqual(cluster.timeline().run('reverse').workers, ['worker-1']);
  } finally {
    await cluster.close();
  }
});
