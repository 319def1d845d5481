import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withFinishedNode } from '../../src/cache/finish-node.js';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import { systemClock } from '../../src/lifecycle/platform/system-clock.js';
import { ArrivingPart } from '../../src/model/arriving-part.js';
import { bodyOf, encodedOf } from '../../src/model/body.js';
import type { Encoded } from '../../src/model/encoded.js';
import type { Outcome } from '../../src/model/outcome.js';
import type { RunHost } from '../../src/ports/executor.js';
import type { ThreadExecutor } from '../../src/thread/thread-executor.js';
import { TestHost, callOf, codec, startThread, task, valueOf } from './run-host.ts';

const MIB = 1024 * 1024;
const LENGTH = (40 * MIB) / Float64Array.BYTES_PER_ELEMENT;

interface Kept {
  readonly kept: Float64Array;
  readonly short: Float64Array;
}

class SendingHost extends TestHost implements RunHost {
  readonly takesArriving = true;
}

const isExact = ({ kept, short }: Kept, first: number): boolean =>
  kept.length === LENGTH &&
  kept.every((number, index) => number === first + index) &&
  short.length === 1_000 &&
  short.every((number, index) => number === first + index);

/** The value, read as it is sent. */
async function sent(value: Encoded): Promise<Kept> {
  const body = bodyOf(value);
  const { sizes, byteLength } = body;
  const whole = await encodedOf({ sizes, byteLength, chunks: () => body.chunks() });
  return codec.decode(whole) as Kept;
}

const bytesOf = (length: number, seed: number): Uint8Array => new Uint8Array(length).fill(seed);

describe('a long part of a result', () => {
  let thread: ThreadExecutor;
  beforeEach(async () => {
    thread = await startThread();
  });
  afterEach(() => thread.close());

  const run = (first: number, host: RunHost = new SendingHost()): Promise<Outcome> =>
    thread.execute(callOf(task('keeps-numbers'), [first]), host);

  it('that is only sent comes in pieces, and exact, whatever its body does with the memory afterwards', async () => {
    const [one, two] = [await run(1), await run(2)];
    expect(valueOf(one).blobs?.size).toBe(1);
    expect(isExact(await sent(valueOf(two)), 2)).toBe(true);
    expect(isExact(await sent(valueOf(one)), 1)).toBe(true);
  });

  it('begins to come before all of it is copied, and can be read again afterwards', async () => {
    const value = valueOf(await run(3));
    const lengths: number[] = [];
    for await (const chunk of bodyOf(value).chunks()) lengths.push(chunk.byteLength);
    expect(lengths.slice(1)).toEqual([4, 8, 16, 12].map((mebibytes) => mebibytes * MIB));
    expect(isExact(await sent(value), 3)).toBe(true);
  });

  it('still comes whole when the thread is closed meanwhile', async () => {
    const value = valueOf(await run(9));
    const closed = thread.close();
    expect(isExact(await sent(value), 9)).toBe(true);
    await closed;
  });

  it('is not hashed in the thread for a host that does so', async () => {
    const host = Object.assign(new SendingHost(), { finishesNode: true });
    const outcome = await run(11, host);
    const { node, unfinishedNode } = outcome as Extract<Outcome, { status: 'DONE' }>;
    expect(node).toBeUndefined();
    expect(unfinishedNode).toBeUndefined();
    const asked = { ...callOf(task('keeps-numbers'), [12]), argumentsDigest: 'a'.repeat(64) };
    const kept = (await thread.execute(asked, host)) as Extract<Outcome, { status: 'DONE' }>;
    expect(kept.node).toBeUndefined();
    expect(kept.unfinishedNode?.gaps).toEqual([{ at: expect.any(Number), part: 1 }]);
    const whole = (await thread.execute(asked, new TestHost())) as Extract<Outcome, { status: 'DONE' }>;
    expect(whole.unfinishedNode).toBeUndefined();
    expect(whole.node).toEqual(codec.digestNode(codec.decode(valueOf(whole))));
    const finished = await withFinishedNode(kept, valueOf(kept), systemClock);
    expect(finished).toMatchObject({ node: whole.node, unfinishedNode: undefined });
  });

  it('that somebody may keep is in memory with the outcome', async () => {
    const value = valueOf(await run(10, new TestHost()));
    expect(value.blobs).toBeUndefined();
    expect(isExact(codec.decode(value) as Kept, 10)).toBe(true);
  });
});

describe('a part that arrives', () => {
  it('is read as it comes, by several readers, and afterwards', async () => {
    const part = new ArrivingPart(30);
    const read = async (): Promise<Uint8Array> => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of part.chunks()) chunks.push(chunk);
      return new Uint8Array(Buffer.concat(chunks));
    };
    part.add(bytesOf(10, 1));
    const meanwhile = [read(), read()];
    await Promise.resolve();
    for (const n of [2, 3]) part.add(bytesOf(10, n));
    const whole = new Uint8Array([...bytesOf(10, 1), ...bytesOf(10, 2), ...bytesOf(10, 3)]);
    expect(await Promise.all([...meanwhile, read()])).toEqual([whole, whole, whole]);
  });

  it('fails its reader with what ended it, behind what had come', async () => {
    const part = new ArrivingPart(20);
    part.add(bytesOf(10, 1));
    const reader = part.chunks()[Symbol.asyncIterator]();
    expect((await reader.next()).value).toEqual(bytesOf(10, 1));
    const next = reader.next();
    part.fail(new RoutineEngineError('WORKER_LOST', 'the thread is gone'));
    await expect(next).rejects.toMatchObject({ code: 'WORKER_LOST' });
  });

  it('has no digest', () => {
    expect(() => new ArrivingPart(1).digest).toThrow('digest of a part');
  });
});
