import { beforeEach, describe, expect, it } from 'vitest';
import type { Contents } from '../../src/cache/contents.js';
import { shortOrRest } from '../../src/cache/read-chunks.js';
import type { EngineEvent } from '../../src/events/engine-event.js';
import { EventFeed } from '../../src/events/event-feed.js';
import { systemClock as clock } from '../../src/lifecycle/platform/system-clock.js';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import { ArrivingPart } from '../../src/model/arriving-part.js';
import type { Encoded } from '../../src/model/encoded.js';
import { LIMITS } from '../../src/model/limits.js';
import { contentsOver } from '../support/contents.js';
import { sharedStore } from '../support/shared-store.js';

const large = new Uint8Array(LIMITS.blobBytes).fill(3);
const EMPTY = new Uint8Array(0);
const value = { head: Uint8Array.of(1), buffers: [large, Uint8Array.of(2)] };
let store: ReturnType<typeof sharedStore>;
let contents: Contents;
let events: EngineEvent[];

beforeEach(() => {
  const feed = new EventFeed<EngineEvent>();
  events = [];
  feed.events$.subscribe((event) => events.push(event));
  store = sharedStore('contents', clock);
  contents = contentsOver(store, feed);
});

describe('parts that are put into the store', () => {
  it('are told once, however often the same memory is put', async () => {
    for (let time = 0; time < 3; time += 1) expect((await contents.share(value)).blobs?.size).toBe(1);
    expect(events.map(({ type }) => type)).toEqual(['content.stored']);
  });

  it('are put again when they have gone since', async () => {
    await contents.share(value);
    store.blobs.kept.clear();
    const again = await contents.share(value);
    const { buffers } = await contents.load(again);
    expect(Buffer.concat(buffers).equals(Buffer.concat(value.buffers))).toBe(true);
  });
});

describe('a part that is still arriving', () => {
  const arrivingIn = (part: ArrivingPart): Encoded => ({
    ...value,
    buffers: [EMPTY],
    blobs: new Map([[1, part]]),
  });

  it('is put into the store as it comes, and once', async () => {
    const part = new ArrivingPart(large.byteLength);
    const sharing = contents.share(arrivingIn(part));
    part.add(large.slice(0, 1000));
    part.add(large.slice(1000));
    const shared = await sharing;
    expect([...store.blobs.kept.keys()]).toEqual([shared.blobs?.get(1)?.digest]);
    expect(shared.blobs?.get(1)).not.toBe(part);
    expect((await contents.load(shared)).buffers).toEqual([large]);
    await contents.share(arrivingIn(part));
    expect(events.map(({ type }) => type)).toEqual(['content.stored']);
  });

  it('is not in the store when the rest of it does not come', async () => {
    const part = new ArrivingPart(large.byteLength);
    const sharing = contents.share(arrivingIn(part));
    part.add(large.slice(0, 1000));
    part.fail(new RoutineEngineError('WORKER_LOST', 'the thread is gone'));
    await expect(sharing).rejects.toMatchObject({ code: 'WORKER_LOST' });
    expect(store.blobs.kept.size).toBe(0);
  });
});

describe('parts that somebody names', () => {
  const digest = async (): Promise<string> => (await store.blobs.put(large)).blob.digest;

  it.each([-1, 1.5, Number.NaN, 2 ** 53, '1', null, undefined, 'length'])(
    'are refused when one has the number %s',
    async (part) => {
      const parts = [{ part: part as number, digest: await digest(), byteLength: 1 }];
      await expect(contents.open(store.identity, parts)).rejects.toMatchObject({ code: 'BYTES_MALFORMED' });
    },
  );

  it('are refused when one is there twice', async () => {
    const part = { part: 1, digest: await digest(), byteLength: large.byteLength };
    await expect(contents.open(store.identity, [part, part])).rejects.toMatchObject({
      code: 'BYTES_MALFORMED',
    });
  });

  it.each([2, 3, 1e9])('are not loaded when the value has no part of the number %s', async (part) => {
    const parts = [{ part, digest: await digest(), byteLength: large.byteLength }];
    const blobs = await contents.open(store.identity, parts);
    for (const streams of [undefined, 0, 1]) {
      const lying = { head: Uint8Array.of(1), buffers: [new Uint8Array(0)], streams, blobs };
      await expect(contents.load(lying)).rejects.toMatchObject({ code: 'BYTES_MALFORMED' });
      await expect(contents.loadShared(lying)).rejects.toMatchObject({ code: 'BYTES_MALFORMED' });
    }
  });

  it('have the length that the store says, whatever is said of them', async () => {
    const parts = [{ part: 1, digest: await digest(), byteLength: 1e15 }];
    const blobs = await contents.open(store.identity, parts);
    const loaded = await contents.load({ head: Uint8Array.of(1), buffers: [new Uint8Array(0)], blobs });
    expect(loaded.buffers[0]?.byteLength).toBe(large.byteLength);
  });
});

describe('a stream that is read', () => {
  const MOST = 1_000;
  async function* chunksOf(...lengths: number[]): AsyncGenerator<Uint8Array> {
    // One memory for all chunks, as producers do that read into a buffer of theirs.
    const memory = new Uint8Array(Math.max(...lengths, 0));
    for (const [index, length] of lengths.entries()) yield memory.fill(index + 1).subarray(0, length);
  }
  const contentOf = (lengths: readonly number[]): Buffer =>
    Buffer.concat(lengths.map((length, index) => Buffer.alloc(length, index + 1)));

  it.each([
    [[]],
    [[0]],
    [[0, 0, 0]],
    [[1, 0, 2]],
    [[400, 600]],
    [[1000]],
    [Array.from({ length: 1000 }, () => 1)],
  ])('is in memory of just its size when it is short: %j', async (lengths) => {
    const read = await shortOrRest(chunksOf(...lengths), MOST);
    expect(read).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(read as Uint8Array)).toEqual(contentOf(lengths));
    expect((read as Uint8Array).buffer.byteLength).toBe(contentOf(lengths).byteLength);
  });

  it.each([[[1001]], [[1000, 1]], [[1000, 0, 1, 0]], [[0, 1, 5_000_000, 3]], [[999, 2, 999]]])(
    'loses nothing when it is long: %j',
    async (lengths) => {
      const read = await shortOrRest(chunksOf(...lengths), MOST);
      expect(read).not.toBeInstanceOf(Uint8Array);
      const chunks: Uint8Array[] = [];
      for await (const chunk of read as AsyncIterable<Uint8Array>) chunks.push(Uint8Array.from(chunk));
      expect(Buffer.concat(chunks).equals(contentOf(lengths))).toBe(true);
    },
  );

  it('is not copied where it is long: a large chunk is handed on as it is', async () => {
    const chunk = new Uint8Array(5_000_000);
    const read = await shortOrRest(
      (async function* () {
        yield chunk;
      })(),
      MOST,
    );
    const seen: Uint8Array[] = [];
    for await (const each of read as AsyncIterable<Uint8Array>) if (each.byteLength > 0) seen.push(each);
    expect(seen[0] === chunk).toBe(true);
  });
});
