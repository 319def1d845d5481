import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { define, Lifecycle } from '../../src/index.js';

let lifecycle: Lifecycle;
let other: Lifecycle;

const bytes = define.task({ name: 'bytes', version: '1.0.0' }, (count: number) =>
  new Uint8Array(count).fill(7),
);

beforeEach(async () => {
  lifecycle = await Lifecycle.init({ project: 'test' });
  other = await Lifecycle.init({ project: 'other' });
});
afterEach(async () => {
  await lifecycle.shutdown();
  await other.shutdown();
});

describe('a reference in the hands of its user', () => {
  it('gives the bytes in the scope where they were asked for, wherever they are read', async () => {
    const ref = await lifecycle.run(() => bytes.ref(3));
    const stream = lifecycle.run(() => ref.stream());
    expect(await stream.next()).toEqual({ done: false, value: Uint8Array.of(7, 7, 7) });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('says by a rejection, not by a throw, that it is not clear which lifecycle is meant', async () => {
    const ref = await lifecycle.run(() => bytes.ref(3));
    await expect(Promise.allSettled([ref.value(), ref.stream().next()])).resolves.toMatchObject([
      { reason: { code: 'LIFECYCLE_AMBIGUOUS' } },
      { reason: { code: 'LIFECYCLE_AMBIGUOUS' } },
    ]);
  });

  it('is refused by JSON, which would keep nothing of it', async () => {
    const ref = await lifecycle.run(() => bytes.ref(3));
    expect(() => JSON.stringify({ model: ref })).toThrow(
      expect.objectContaining({
        code: 'VALUE_NOT_ENCODABLE',
        message: expect.stringContaining('tname:test:bytes:1.0.0'),
      }),
    );
  });

  it.each([0, 1, 300_000, 2_000_000])('gives its bytes as often as they are asked for: %i', async (count) => {
    const ref = await lifecycle.run(() => bytes.ref(count));
    for (let time = 0; time < 2; time += 1) {
      let read = 0;
      for await (const chunk of lifecycle.run(() => ref.stream())) {
        read += chunk.byteLength;
        chunk.fill(0);
      }
      expect(read).toBe(count);
    }
    expect((await lifecycle.run(() => ref.value())).every((byte) => byte === 7)).toBe(true);
  });

  it('may be left in the middle of its bytes', async () => {
    const ref = await lifecycle.run(() => bytes.ref(2_000_000));
    for await (const chunk of lifecycle.run(() => ref.stream())) {
      expect(chunk[0]).toBe(7);
      break;
    }
    expect((await lifecycle.run(() => ref.value())).byteLength).toBe(2_000_000);
  });
});
