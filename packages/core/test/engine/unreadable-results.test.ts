import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADAPTER_API_VERSION, bodyOf, provide, RESULT_STORE } from '../../src/adapter.js';
import { define, Lifecycle, type EngineEvent } from '../../src/index.js';
import { systemClock as clock } from '../../src/lifecycle/platform/system-clock.js';
import { sharedStore } from '../support/shared-store.js';

const BYTES = 300_000;
let ran: number;
/** Thrown by the body, while set. */
let failure: Error | undefined;
let store: ReturnType<typeof sharedStore>;
let lifecycle: Lifecycle;
let events: EngineEvent[];

const large = define.task({ name: 'large', version: '1.0.0' }, () => {
  ran += 1;
  if (failure) throw failure;
  return { run: ran, bytes: new Uint8Array(BYTES).fill(ran) };
});

beforeEach(async () => {
  ran = 0;
  failure = undefined;
  store = sharedStore('unreadable', clock);
  const parts = [provide(RESULT_STORE, () => store)];
  lifecycle = await Lifecycle.init({
    project: 'test',
    plugins: [{ name: 'shared', api: `^${ADAPTER_API_VERSION}`, parts }],
  });
  events = [];
  lifecycle.events$.subscribe((event) => events.push(event));
});
afterEach(() => lifecycle.shutdown());

/** Puts another head in the place of that of every stored result. */
async function scramble(): Promise<void> {
  for await (const { key } of store.list()) {
    const found = await store.get(key);
    if (!found) continue;
    await store.delete(key);
    const buffers = found.body.sizes.slice(1).map((size) => new Uint8Array(size));
    await store.put(key, { ...found, body: bodyOf({ head: Uint8Array.of(0xc1, 0xc1), buffers }) });
  }
}

describe('a stored result with large parts', () => {
  it('is computed again when its head does not decode', async () => {
    await large();
    await scramble();
    expect((await large()).run).toBe(2);
    expect((await large()).run).toBe(2);
  });

  it('is computed again once, not twice, when that fails', async () => {
    await large();
    await scramble();
    failure = new RangeError('the disk fell off');
    await expect(large()).rejects.toThrow(failure);
    expect(ran).toBe(2);
  });

  it('is computed again when a part of it is gone, and kept anew though it came out otherwise', async () => {
    await large();
    store.blobs.kept.clear();
    expect((await large()).run).toBe(2);
    expect((await large()).run).toBe(2);
  });

  it('is computed again for a reference when a part of it is gone', async () => {
    await large.ref();
    store.blobs.kept.clear();
    expect((await (await large.ref()).value()).run).toBe(2);
  });
});
