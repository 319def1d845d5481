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

/** What the types of Node alone leave out. */
interface WebAssemblyMemory {
  readonly Memory: new (options: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
}

it('copies memory that is given up but cannot be transferred', async () => {
  const { port1, port2 } = new MessageChannel();
  const arrived = new Promise<readonly Uint8Array[]>((resolve) =>
    new ParcelPort<string, string>(port2, systemClock).listen(({ value }) => resolve(value?.buffers ?? [])),
  );
  const { Memory } = (globalThis as unknown as { WebAssembly: WebAssemblyMemory }).WebAssembly;
  const memory = new Uint8Array(new Memory({ initial: 2 }).buffer).fill(8);
  const own = new Uint8Array(100_000).fill(9);
  const value = { head: new Uint8Array(1), buffers: [own, memory] };
  new ParcelPort<string, string>(port1, systemClock).send('one', value, true);
  expect((await arrived).map((bytes) => [bytes.byteLength, bytes.at(-1)])).toEqual([
    [100_000, 9],
    [131_072, 8],
  ]);
  expect(memory.at(-1)).toBe(8);
  port1.close();
  await once(port2, 'close');
});
