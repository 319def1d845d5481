import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/lifecycle/platform/system-clock.js';
import { ParcelPort } from '../../src/thread/parcel-port.js';

it('shares shared memory with the other end, and copies other memory', async () => {
  const { port1, port2 } = new MessageChannel();
  const shared = new Uint8Array(new SharedArrayBuffer(100_000));
  const own = new Uint8Array(100_000);
  const arrived = new Promise<readonly Uint8Array[]>((resolve) =>
    new ParcelPort<string, string>(port2, systemClock).listen(({ value }) => resolve(value?.buffers ?? [])),
  );
  new ParcelPort<string, string>(port1, systemClock).send('one', {
    head: new Uint8Array(1),
    buffers: [shared, own],
  });
  const [sharedThere, ownThere] = await arrived;
  sharedThere?.fill(1);
  ownThere?.fill(1);
  expect([shared[99_999], own[99_999]]).toEqual([1, 0]);
  port1.close();
  await once(port2, 'close');
});
