import { describe, expect, it } from 'vitest';
import { sourceOf, type BodySource } from '../../src/protocol/body-source.js';
import { IncomingBody, type BodyReading } from '../../src/protocol/incoming-body.js';
import { WatchedBody } from '../../src/protocol/watched-body.js';

const reading: BodyReading = {
  onBegun: () => undefined,
  onHungry: () => undefined,
  onTaken: () => undefined,
  onReturned: () => undefined,
  onStopped: () => undefined,
};
const chunk = (first: number): Uint8Array => Uint8Array.of(first, 0, 0, 0);
const incoming = (): IncomingBody => new IncomingBody([16], 16, reading);
const arrive = (body: IncomingBody, first: number): void => body.push(chunk(first), false, true);

/** The first bytes of all chunks that can be taken without waiting. */
function takeAll(source: BodySource): (number | undefined)[] {
  const taken: (number | undefined)[] = [];
  for (let bytes = source.take(100); bytes; bytes = source.take(100)) taken.push(bytes[0]);
  return taken;
}

describe.each([
  ['a body from a connection', (body: IncomingBody) => body],
  ['such a body that somebody watches', (body: IncomingBody) => new WatchedBody(body, {})],
])('the source of %s', (_, wrapped) => {
  it('gives all that has come without a turn for each chunk', async () => {
    const body = incoming();
    const source = sourceOf(wrapped(body));
    const pulled = source.pull();
    for (const first of [1, 2, 3]) arrive(body, first);
    await pulled;
    expect(takeAll(source)).toEqual([1, 2, 3]);
    expect(source.isDone).toBe(false);
  });

  it('lets nothing overtake what is being pulled', async () => {
    const body = incoming();
    const source = sourceOf(wrapped(body));
    const pulled = source.pull();
    // The first goes to who waits for it, and is not there yet; the second lies ready.
    arrive(body, 1);
    arrive(body, 2);
    expect(takeAll(source)).toEqual([]);
    await pulled;
    expect(takeAll(source)).toEqual([1, 2]);
  });

  it('finds its end only by pulling, after all of it was taken', async () => {
    const body = incoming();
    const source = sourceOf(wrapped(body));
    const pulled = source.pull();
    for (const first of [1, 2, 3, 4]) arrive(body, first);
    body.end();
    await pulled;
    expect(takeAll(source)).toEqual([1, 2, 3, 4]);
    expect(source.isDone).toBe(false);
    await source.pull();
    expect(source.isDone).toBe(true);
  });

  it('gives nothing before somebody began to read, and nothing after it was stopped', async () => {
    const body = incoming();
    const source = sourceOf(wrapped(body));
    arrive(body, 1);
    expect(takeAll(source)).toEqual([]);
    await source.pull();
    arrive(body, 2);
    source.stop();
    expect(takeAll(source)).toEqual([]);
  });

  it('gives nothing more of one that failed, and throws why when it is pulled', async () => {
    const body = incoming();
    const source = sourceOf(wrapped(body));
    const pulled = source.pull();
    for (const first of [1, 2]) arrive(body, first);
    await pulled;
    expect(source.take(100)?.[0]).toBe(1);
    body.fail(new Error('cut'));
    expect(takeAll(source)).toEqual([]);
    await expect(source.pull()).rejects.toThrow('cut');
  });
});

it('gives nothing of a watched body that was ended, which pulling tells', async () => {
  const body = incoming();
  const watched = new WatchedBody(body, {});
  const source = sourceOf(watched);
  const pulled = source.pull();
  for (const first of [1, 2]) arrive(body, first);
  await pulled;
  expect(source.take(100)?.[0]).toBe(1);
  watched.stop(new Error('ended'));
  expect(takeAll(source)).toEqual([]);
  await expect(source.pull()).rejects.toThrow('ended');
});
