import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Connection, Envelope } from '../../src/ports/transport.js';
import {
  Heard,
  connected,
  connectedIn,
  inMemory,
  lent,
  pattern,
  read,
  readerOf,
  streamed,
} from './connected.js';
import { Turns } from './memory-pipe.js';

/** What one side sends: a directive, perhaps with a body, which its receiver may give up. */
const sent = fc.record({
  bytes: fc.option(fc.oneof(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 2_000, max: 90_000 })), {
    nil: undefined,
  }),
  source: fc.constantFrom('memory', 'chunks', 'slow chunks'),
  chunkBytes: fc.integer({ min: 100, max: 30_000 }),
  isGivenUp: fc.boolean(),
});
type Sent = typeof sent extends fc.Arbitrary<infer T> ? T : never;

const traffic = fc.record({
  seed: fc.integer(),
  windowBytes: fc.integer({ min: 1, max: 40_000 }),
  largestMessageBytes: fc.integer({ min: 1_024, max: 50_000 }),
  limits: fc.record({
    inlineBodyBytes: fc.integer({ min: 0, max: 5_000 }),
    initialWindowBytes: fc.integer({ min: 0, max: 20_000 }),
    streamWindowBytes: fc.integer({ min: 1, max: 60_000 }),
    connectionWindowBytes: fc.integer({ min: 2, max: 80_000 }),
  }),
  fromHere: fc.array(sent, { maxLength: 12 }),
  fromThere: fc.array(sent, { maxLength: 12 }),
});

function envelopeOf(turns: Turns, given: Sent, n: number): Envelope {
  if (given.bytes === undefined) return { header: { n } };
  const bytes = pattern(given.bytes, n);
  if (given.source === 'memory') return { header: { n }, body: inMemory(bytes) };
  const body = lent(bytes, given.chunkBytes);
  if (given.source === 'chunks') return { header: { n }, body };
  const slow = streamed(bytes.byteLength, async function* () {
    for await (const chunk of body.chunks()) {
      await new Promise<void>((resolve) => turns.nextTurn(resolve));
      yield chunk;
    }
  });
  return { header: { n }, body: slow };
}

function sendAll(turns: Turns, connection: Connection, plan: readonly Sent[]): void {
  for (const [n, given] of plan.entries()) connection.send(envelopeOf(turns, given, n));
}

/** Reads what came as the plan says. @returns what differs from it. */
async function differences(plan: readonly Sent[], heard: Heard): Promise<string[]> {
  const found = await Promise.all(
    plan.map(async (given, n) => {
      const { header, body } = await heard.take();
      if (header['n'] !== n) return `${String(header['n'])} came where ${n} was due`;
      if (body?.byteLength !== given.bytes) return `the body of ${n} has ${body?.byteLength} bytes`;
      if (!body || !given.isGivenUp) {
        const isEqual = Buffer.compare(await read(body), pattern(given.bytes ?? 0, n)) === 0;
        return isEqual ? '' : `the body of ${n} differs`;
      }
      const reader = readerOf(body);
      if (n % 2) await reader.next();
      await reader.return?.();
      return '';
    }),
  );
  return found.filter((each) => each !== '');
}

it('random traffic both ways arrives equal and in order, whatever the windows and the order of turns', async () => {
  const property = fc.asyncProperty(traffic, async ({ fromHere, fromThere, ...options }) => {
    const { turns, here, there, violations } = connected(options);
    const [heardHere, heardThere] = [new Heard(here), new Heard(there)];
    sendAll(turns, here, fromHere);
    sendAll(turns, there, fromThere);
    const compared = Promise.all([differences(fromHere, heardThere), differences(fromThere, heardHere)]);
    expect(await turns.until(compared)).toEqual([[], []]);
    await turns.settle();
    expect([here.full, there.full]).toEqual([false, false]);
    await turns.until(here.close());
    await turns.settle();
    expect(violations).toEqual([]);
    expect([heardHere.isComplete, heardThere.isComplete, turns.pendingTimers]).toEqual([true, true, 0]);
  });
  await fc.assert(property, { numRuns: 300 });
});

it('random traffic arrives equal and in order through a relay', async () => {
  const property = fc.asyncProperty(traffic, async ({ seed, fromHere, fromThere, ...options }) => {
    const turns = new Turns(seed);
    const [first, second] = [connectedIn(turns, options), connectedIn(turns, options)];
    first.there.inbound$.subscribe((envelope) => void second.here.send(envelope));
    second.here.inbound$.subscribe((envelope) => void first.there.send(envelope));
    const [heardHere, heardThere] = [new Heard(first.here), new Heard(second.there)];
    sendAll(turns, first.here, fromHere);
    sendAll(turns, second.there, fromThere);
    const compared = Promise.all([differences(fromHere, heardThere), differences(fromThere, heardHere)]);
    expect(await turns.until(compared)).toEqual([[], []]);
    await turns.settle();
    const ends = [first.here, first.there, second.here, second.there];
    expect(ends.map(({ full }) => full)).toEqual([false, false, false, false]);
    await turns.until(Promise.all(ends.map((end) => end.close())));
    expect([...first.violations, ...second.violations, turns.pendingTimers]).toEqual([0]);
  });
  await fc.assert(property, { numRuns: 150 });
});
