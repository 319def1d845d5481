import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADAPTER_API_VERSION, bodyOf, provide, RESULT_STORE, type StoredResult } from '../../src/adapter.js';
import { MemoryStore } from '../../src/cache/memory-store.js';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { define, Lifecycle, Ref } from '../../src/index.js';
import { systemClock as clock } from '../../src/lifecycle/platform/system-clock.js';
import { referenceData } from '../../src/model/reference.js';

/** Names of the tasks that ran, in order. */
let ran: string[];
let store: MemoryStore;
let lifecycle: Lifecycle;

const numbers = define.task({ name: 'numbers', version: '1.0.0' }, (count: number) =>
  Float64Array.from({ length: count }, (_, index) => index),
);
const held = define.workflow({ name: 'held' }, async (count: number) => ({
  name: 'held',
  values: await numbers.ref(count),
}));
const handedOn = define.workflow({ name: 'handed-on' }, (count: number) => numbers.ref(count));
/** One more item before a list, which stays behind a reference. */
const before = define.workflow({ name: 'before', keepRefs: true }, (next: unknown) => ({ next }));
async function chain(length: number): Promise<unknown> {
  let list: unknown = 'end';
  for (let index = 0; index < length; index += 1) list = await before.ref(list);
  return list;
}
const total = define.task({ name: 'total', version: '1.0.0' }, (values: Float64Array) => {
  ran.push('total');
  return values.reduce((sum, value) => sum + value, 0);
});
const totalHeld = define.task(
  { name: 'total-held', version: '1.0.0' },
  (from: { readonly name: string; readonly values: Float64Array }) => {
    ran.push('total-held');
    return from.values.reduce((sum, value) => sum + value, 0);
  },
);
const depthOf = define.task({ name: 'depth-of', version: '1.0.0' }, (item: unknown) => {
  let depth = 0;
  for (let at = item; typeof at === 'object' && at !== null; at = (at as { next: unknown }).next) depth += 1;
  return depth;
});
const keeps = define.workflow({ name: 'keeps', keepRefs: true }, async (ref: Ref<{ values: unknown }>) => {
  const { values } = await ref.value();
  return [ref instanceof Ref, values instanceof Ref];
});

const keyOf = (ref: Ref<unknown>): string => referenceData(ref)?.key ?? '';

beforeEach(async () => {
  ran = [];
  store = new MemoryStore({ id: 'nested', clock, node: 'test' });
  const parts = [provide(RESULT_STORE, () => store)];
  const plugin = { name: 'nested', api: `^${ADAPTER_API_VERSION}`, parts };
  lifecycle = await Lifecycle.init({ project: 'test', plugins: [plugin] });
});
afterEach(() => lifecycle.shutdown());

/** Counts as a result that holds a reference to itself, as only somebody who writes to the store can make one. */
const circle = define.task({ name: 'circle', version: '1.0.0' }, () => 'to be replaced');

describe('a reference to a result that holds references', () => {
  type Held = { readonly name: string; readonly values: Float64Array };

  it('is resolved with all that it holds, as its value would be', async () => {
    const byReference = (await held.ref(4)) as unknown as Ref<Held>;
    expect(await totalHeld(byReference)).toBe(6);
  });

  it('counts as its value, and its value as what that holds', async () => {
    expect(await totalHeld((await held(5)) as { name: string; values: Ref<Float64Array> })).toBe(10);
    expect(await totalHeld((await held.ref(5)) as unknown as Ref<Held>)).toBe(10);
    expect(await totalHeld({ name: 'held', values: await numbers(5) })).toBe(10);
    expect(ran).toEqual(['total-held']);
  });

  it('may be a reference to a reference', async () => {
    const twice = (await handedOn.ref(3)) as unknown as Ref<Float64Array>;
    expect(await total(twice)).toBe(3);
    expect(await total(await numbers(3))).toBe(3);
    expect(ran).toEqual(['total']);
  });

  it('gives what it holds as references to whoever fetches it', async () => {
    const value = await (await held.ref(2)).value();
    expect(value.values).toBeInstanceOf(Ref);
    expect(await value.values.value()).toEqual(Float64Array.of(0, 1));
  });

  it('stays one for a routine that keeps references, with those it holds', async () => {
    expect(await keeps((await held.ref(2)) as unknown as Ref<{ values: unknown }>)).toEqual([true, true]);
  });

  it('is resolved down to the depth that values may have, and refused beyond', async () => {
    expect(await depthOf(await chain(150))).toBe(150);
    await expect(depthOf(await chain(250))).rejects.toMatchObject({ code: 'VALUE_TOO_DEEP' });
  });

  it('is refused when it leads back to itself', async () => {
    const ref = await circle.ref();
    const found = await store.get(keyOf(ref));
    await store.delete(keyOf(ref));
    const { head, buffers } = new MsgpackrCodec().encode({ next: ref });
    await store.put(keyOf(ref), { ...(found as StoredResult), body: bodyOf({ head, buffers }) });
    await expect(depthOf(ref)).rejects.toMatchObject({
      code: 'BYTES_MALFORMED',
      message: expect.stringContaining('itself'),
    });
  });
});
