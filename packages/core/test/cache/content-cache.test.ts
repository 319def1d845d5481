import { describe, expect, it } from 'vitest';
import { ContentCache } from '../../src/cache/content-cache.ts';
import type { EngineEvent } from '../../src/events/engine-event.ts';
import { EventFeed } from '../../src/events/event-feed.ts';
import type { StoredBlob } from '../../src/model/stored-blob.ts';

/** A blob that tells how often it was read, and whether a reading was ended early. Reads when `gate` lets it. */
class WatchedBlob implements StoredBlob {
  readonly digest: string;
  readonly byteLength: number;
  read = 0;
  ended = 0;
  readonly #content: readonly Uint8Array[];
  readonly #gate: Promise<unknown>;

  constructor(digit: string, chunks: readonly Uint8Array[], gate: Promise<unknown> = Promise.resolve()) {
    this.digest = digit.repeat(64);
    this.byteLength = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
    this.#content = chunks;
    this.#gate = gate;
  }

  async *chunks(options?: { readonly signal?: AbortSignal }): AsyncGenerator<Uint8Array> {
    this.read += 1;
    options?.signal?.addEventListener('abort', () => (this.ended += 1));
    await this.#gate;
    for (const chunk of this.#content) yield chunk;
  }
}

const blobOf = (digit: string, byteLength: number): WatchedBlob =>
  new WatchedBlob(digit, [new Uint8Array(byteLength).fill(byteLength)]);

function newCache(maxBytes?: number): { cache: ContentCache; events: EngineEvent[]; told: () => string[] } {
  const feed = new EventFeed<EngineEvent>();
  const events: EngineEvent[] = [];
  feed.events$.subscribe((event) => events.push(event));
  const cache = new ContentCache({
    clock: { now: () => 42 },
    feed,
    node: 'worker',
    ...(maxBytes !== undefined && { maxBytes }),
  });
  return { cache, events, told: () => events.map(({ type }) => type) };
}

describe('the content cache', () => {
  it('reads a blob once, for those who ask at once and for later ones', async () => {
    const { cache, events } = newCache();
    const blob = new WatchedBlob('a', [new Uint8Array([1, 2]), new Uint8Array(0), new Uint8Array([3])]);
    const [first, second] = await Promise.all([cache.load(blob), cache.load(blob)]);
    const third = await cache.load(blob);
    expect([...first]).toEqual([1, 2, 3]);
    expect(first.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(second.buffer).toBe(first.buffer);
    expect(third.buffer).toBe(first.buffer);
    expect(blob.read).toBe(1);
    const content = { at: 42, node: 'worker', digest: blob.digest, byteLength: 3 };
    expect(events).toEqual([
      { type: 'content.fetched', ...content },
      { type: 'content.reused', ...content },
      { type: 'content.reused', ...content },
    ]);
  });

  it('gives an empty blob', async () => {
    const { cache } = newCache();
    const blob = blobOf('a', 0);
    expect((await cache.load(blob)).byteLength).toBe(0);
    await cache.load(blob);
    expect(blob.read).toBe(1);
  });

  it('lets the least recently used content go when there is no more room', async () => {
    const { cache } = newCache(2000);
    const [a, b, c] = [blobOf('a', 900), blobOf('b', 900), blobOf('c', 900)];
    await cache.load(a);
    await cache.load(b);
    await cache.load(a);
    await cache.load(c);
    await cache.load(a);
    await cache.load(b);
    expect([a.read, b.read, c.read]).toEqual([1, 2, 1]);
  });

  it('gives content that is larger than all its room, and keeps what it has', async () => {
    const { cache } = newCache(1000);
    const [small, large] = [blobOf('a', 900), blobOf('b', 1001)];
    await cache.load(small);
    expect((await cache.load(large)).byteLength).toBe(1001);
    await cache.load(large);
    await cache.load(small);
    expect([small.read, large.read]).toEqual([1, 2]);
  });

  it('rejects only the caller that gives up, with his reason, and reads on for the others', async () => {
    const { cache, told } = newCache();
    let goOn!: () => void;
    const blob = new WatchedBlob('a', [new Uint8Array([1])], new Promise<void>((open) => (goOn = open)));
    const controller = new AbortController();
    const reason = new Error('no longer wanted');
    const givingUp = cache.load(blob, controller.signal);
    const staying = cache.load(blob, new AbortController().signal);
    controller.abort(reason);
    await expect(givingUp).rejects.toBe(reason);
    expect(blob.ended).toBe(0);
    goOn();
    expect([...(await staying)]).toEqual([1]);
    expect(blob.read).toBe(1);
    expect(told()).toEqual(['content.fetched', 'content.reused']);
  });

  it('ends reading when nobody waits any more, and begins anew for whoever comes then', async () => {
    const { cache, told } = newCache();
    const never = new WatchedBlob('a', [new Uint8Array([1])], new Promise(() => {}));
    const controllers = [new AbortController(), new AbortController()];
    const loads = controllers.map(({ signal }) => cache.load(never, signal));
    for (const controller of controllers) controller.abort(new Error('no longer wanted'));
    const later = cache.load(blobOf('a', 1));
    for (const load of loads) await expect(load).rejects.toThrow('no longer wanted');
    expect(never.ended).toBe(1);
    expect([...(await later)]).toEqual([1]);
    expect(told()).toEqual(['content.fetched']);
  });

  it('begins nothing for a caller that has given up before', async () => {
    const { cache } = newCache();
    const blob = blobOf('a', 10);
    const reason = new Error('never wanted');
    await expect(cache.load(blob, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(blob.read).toBe(0);
  });

  it('fails all who wait when reading fails, and reads again for the next', async () => {
    const { cache, told } = newCache();
    const gone = new WatchedBlob('a', [new Uint8Array([1])], Promise.reject(new Error('gone')));
    const failed = await Promise.allSettled([cache.load(gone), cache.load(gone)]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await cache.load(blobOf('a', 5))).byteLength).toBe(5);
    expect(told()).toEqual(['content.fetched']);
  });

  it.each([
    ['longer', 2],
    ['shorter', 4],
  ])(
    'refuses a blob that is %s than it says, also when another of its digest is there',
    async (_, byteLength) => {
      const { cache, told } = newCache();
      const right = blobOf('a', 3);
      const wrong: StoredBlob = { digest: right.digest, byteLength, chunks: () => right.chunks() };
      await expect(cache.load(wrong)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' });
      expect((await cache.load(right)).byteLength).toBe(3);
      await expect(cache.load(wrong)).rejects.toMatchObject({ code: 'CONTENT_CORRUPT' });
      expect(told()).toEqual(['content.fetched']);
    },
  );

  it('works as well when nobody listens', async () => {
    const feed = new EventFeed<EngineEvent>();
    const cache = new ContentCache({
      clock: { now: () => expect.fail('asked for the time') },
      feed,
      node: 'worker',
    });
    const blob = blobOf('a', 10);
    await cache.load(blob);
    expect((await cache.load(blob)).byteLength).toBe(10);
  });
});
