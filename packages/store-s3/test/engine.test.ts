import { define, type EngineEvent, Lifecycle } from '@routine-engine/core';
import { s3Store } from '@routine-engine/store-s3';
import { expect, it } from 'vitest';
import { CREDENTIALS, namesIn, startServer } from './place.ts';
import { BUCKET, type S3Double } from './s3-double.ts';

let executed = 0;
const square = define.task({ name: 'square', version: '1.0.0' }, (n: number) => {
  executed += 1;
  return { n, squares: new Float64Array(100_000).fill(n * n) };
});

/** Calls the task in a lifecycle of its own, as a program that is started again does. */
async function callOnce(server: S3Double): Promise<{ squares: number; events: string[] }> {
  const events: EngineEvent[] = [];
  const { endpoint } = server;
  const plugins = [s3Store({ bucket: BUCKET, endpoint, credentials: CREDENTIALS, attempts: 1 })];
  await using lifecycle = await Lifecycle.init({ project: 'test', plugins });
  lifecycle.events$.subscribe((event) => events.push(event));
  const { squares } = await square(3);
  return { squares: squares.length, events: events.map(({ type }) => type) };
}

it('a program with a bucket of results finds what an earlier start computed, and goes on without the bucket', async () => {
  const server = await startServer();
  expect(await callOnce(server)).toMatchObject({ squares: 100_000 });
  const second = await callOnce(server);
  expect(second.squares).toBe(100_000);
  expect(second.events).toContain('store.hit');
  expect(executed).toBe(1);
  expect(namesIn(server, 'results/')).toHaveLength(1);
  server.interfere = () => ({ refuse: [503, 'ServiceUnavailable'] });
  const third = await callOnce(server);
  expect(third.squares).toBe(100_000);
  expect(third.events).toContain('store.failed');
  expect(executed).toBe(2);
});
