import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { define, Lifecycle, memoryStore, Ref, type EngineEvent } from '../../src/index.js';

/** Names of the tasks that ran, in order. */
let ran: string[];
let lifecycle: Lifecycle;
let events: EngineEvent[];

const numbers = define.task({ name: 'numbers', version: '1.0.0' }, (count: number) => {
  ran.push('numbers');
  return Float64Array.from({ length: count }, (_, index) => index);
});
const sum = define.task({ name: 'sum', version: '1.0.0' }, (values: Float64Array, scale: number) => {
  ran.push('sum');
  return values.reduce((total, value) => total + value, 0) * scale;
});
const sumOf = define.task(
  { name: 'sum-of', version: '1.0.0' },
  (input: { readonly parts: readonly Float64Array[]; readonly byName: Map<string, Float64Array> }) => {
    ran.push('sum-of');
    return [...input.parts, ...input.byName.values()].map((values) => values.length);
  },
);
const sorts = define.task({ name: 'sorts', version: '1.0.0' }, (values: Float64Array) => {
  values.reverse();
  return values[0];
});
const text = define.task({ name: 'text', version: '1.0.0' }, (length: number) => {
  ran.push('text');
  return 'x'.repeat(length);
});
const lengthOf = define.task({ name: 'length-of', version: '1.0.0' }, (value: string) => {
  ran.push('length-of');
  return value.length;
});
const pipeline = define.workflow({ name: 'pipeline' }, async (count: number) =>
  sum(await numbers.ref(count), 2),
);
const makesText = define.workflow({ name: 'makes-text' }, (length: number) => {
  ran.push('makes-text');
  return 'y'.repeat(length);
});
const handsOn = define.workflow({ name: 'hands-on', keepRefs: true }, async (values: Ref<Float64Array>) => {
  return [await sum(values, 1), values instanceof Ref ? values : undefined] as const;
});
const takes = define.workflow({ name: 'takes' }, (values: Float64Array) => values.length);
const unremembered = define.task({ name: 'unremembered', version: '1.0.0', cache: false }, (n: number) => [
  n,
]);
const objects = define.task({ name: 'objects', version: '1.0.0' }, () => ({ a: 1 }));

async function open(plugins: Parameters<typeof Lifecycle.init>[0]['plugins'] = []): Promise<void> {
  lifecycle = await Lifecycle.init({ project: 'test', plugins });
  events = [];
  lifecycle.events$.subscribe((event) => events.push(event));
}

beforeEach(async () => {
  ran = [];
  await open();
});
afterEach(() => lifecycle.shutdown());

const types = (): string[] => events.splice(0).map(({ type }) => type);

describe('a reference to a result', () => {
  it('names the routine and the size, and fetches the value, a new one each time', async () => {
    const ref = await numbers.ref(4);
    expect(ref.routineId).toBe('tname:test:numbers:1.0.0');
    expect(ref.byteLength).toBeGreaterThan(32);
    const value = await ref.value();
    expect(value).toEqual(Float64Array.of(0, 1, 2, 3));
    value[0] = 99;
    expect(await ref.value()).toEqual(Float64Array.of(0, 1, 2, 3));
  });

  it('is resolved where the routine runs that gets it', async () => {
    expect(await sum(await numbers.ref(5), 3)).toBe(30);
  });

  it('is resolved deep inside an argument, each place of it', async () => {
    const ref = await numbers.ref(6);
    const shorter = await numbers.ref(2);
    expect(await sumOf({ parts: [ref, shorter, ref], byName: new Map([['a', shorter]]) })).toEqual([
      6, 2, 6, 2,
    ]);
  });

  it('gives each body a value of its own', async () => {
    const ref = await numbers.ref(3);
    expect(await sorts(ref)).toBe(2);
    expect(await ref.value()).toEqual(Float64Array.of(0, 1, 2));
  });

  it.each([1, 4, 40, 600, 100_000])(
    'counts as the value itself when results are looked up: %i numbers',
    async (count) => {
      await sum(await numbers(count), 7);
      await sum(await numbers.ref(count), 7);
      expect(ran).toEqual(['numbers', 'sum']);
    },
  );

  it.each([0, 1, 23, 24, 4086, 4087, 4088, 5000, 300_000])(
    'counts as the value itself also for a text: %i characters',
    async (length) => {
      await lengthOf(await text.ref(length));
      await lengthOf(await text(length));
      expect(ran).toEqual(['text', 'length-of']);
    },
  );

  it('is given without running the task when the result is there', async () => {
    await numbers(8);
    types();
    const ref = await numbers.ref(8);
    expect(types()).toEqual(['run.requested', 'store.hit', 'run.cached']);
    expect(await ref.value()).toHaveLength(8);
    expect(ran).toEqual(['numbers']);
  });

  it('shares one run with calls that want the value', async () => {
    const [value, ref, again] = await Promise.all([numbers(9), numbers.ref(9), numbers(9)]);
    expect([value.length, (await ref.value()).length, again.length]).toEqual([9, 9, 9]);
    const [ref2, value2] = await Promise.all([numbers.ref(10), numbers(10)]);
    expect([(await ref2.value()).length, value2.length]).toEqual([10, 10]);
    expect(ran).toEqual(['numbers', 'numbers']);
  });

  it('goes from task to task inside a workflow', async () => {
    expect(await pipeline(4)).toBe(12);
    const ref = await pipeline.ref(4);
    expect(await ref.value()).toBe(12);
  });

  it('may stand for the result of a workflow, which is run each time all the same', async () => {
    const ref = await makesText.ref(5_000);
    expect(await lengthOf(ref)).toBe(5_000);
    expect(await ref.value()).toBe('y'.repeat(5_000));
    await makesText.ref(5_000);
    expect(ran).toEqual(['makes-text', 'length-of', 'makes-text']);
  });

  it('may stand for the result of a task that is not remembered', async () => {
    const ref = await unremembered.ref(3);
    expect(await ref.value()).toEqual([3]);
    expect(
      await unremembered
        .with({ cache: true })
        .ref(3)
        .then((other) => other.value()),
    ).toEqual([3]);
  });

  it('arrives as a reference where a routine asks for that, and may be returned', async () => {
    const [total, back] = await handsOn(await numbers.ref(3));
    expect(total).toBe(3);
    expect(await back?.value()).toEqual(Float64Array.of(0, 1, 2));
  });

  it('is resolved for a workflow that asks for the value', async () => {
    expect(await takes(await numbers.ref(12))).toBe(12);
  });

  it('gives the bytes of a binary result chunk by chunk', async () => {
    const ref = await numbers.ref(100_000);
    const chunks: Uint8Array[] = [];
    for await (const chunk of ref.stream()) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    expect(chunks.length).toBeGreaterThan(1);
    expect(new Float64Array(bytes.buffer, bytes.byteOffset, 100_000)).toEqual(await ref.value());
  });

  it('refuses to give the bytes of a result that is not binary', async () => {
    const ref = (await objects.ref()) as unknown as Ref<Uint8Array>;
    await expect(ref.stream().next()).rejects.toMatchObject({ code: 'REFERENCE_NOT_BINARY' });
  });

  it('says so when the store has the result no more', async () => {
    await lifecycle.shutdown();
    await open([memoryStore({ maxBytes: 400_000 })]);
    const ref = await numbers.ref(30_000);
    await numbers(31_000);
    await expect(ref.value()).rejects.toMatchObject({
      code: 'REFERENCE_UNREACHABLE',
      message: expect.stringContaining('tname:test:numbers:1.0.0'),
    });
    await expect(sum(ref, 1)).rejects.toMatchObject({ code: 'REFERENCE_UNREACHABLE' });
  });

  it('says so when this lifecycle has another store', async () => {
    const ref = await numbers.ref(3);
    await lifecycle.shutdown();
    await open();
    await expect(ref.value()).rejects.toMatchObject({
      code: 'REFERENCE_UNREACHABLE',
      message: expect.stringMatching(/memory:.*memory:/),
    });
  });

  it('is refused when no store could keep the result', async () => {
    await lifecycle.shutdown();
    await open([memoryStore({ maxBytes: 4_000 })]);
    await expect(numbers.ref(10_000)).rejects.toMatchObject({ code: 'REFERENCE_NOT_KEPT' });
    expect(await numbers(10_000)).toHaveLength(10_000);
  });

  it('is of no use after its lifecycle has ended', async () => {
    const ref = await numbers.ref(3);
    const value = await lifecycle.run(() => ref.value());
    expect(value).toHaveLength(3);
    const ended = lifecycle;
    await ended.shutdown();
    await expect(ended.run(() => ref.value())).rejects.toMatchObject({ code: 'LIFECYCLE_CLOSED' });
  });
});
