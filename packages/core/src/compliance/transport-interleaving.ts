import assert from 'node:assert/strict';
import {
  assertBody,
  chunked,
  hear,
  inMemory,
  numbersOf,
  readerOf,
  StreamedBody,
  upTo,
} from './sample-bodies.js';
import { patternAt } from './byte-pattern.js';
import { needsPieces, type TransportCase } from './transport-subject.js';
import { turns } from './turns.js';

const promise = 'connection-interleaving';
const MIB = 1024 * 1024;

/** Nobody waits for a body of somebody else. */
export const interleavingCases: readonly TransportCase[] = [
  {
    id: 'transport/interleaving/directive-overtakes-body',
    title: 'lets a small directive overtake a large body that is under way',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      const body = new StreamedBody(64 * MIB);
      here.send({ header: { n: 0 }, body });
      const reader = readerOf(await toThere.next());
      await reader.next();
      here.send({ header: { n: 1 } });
      await toThere.next();
      assert.ok(!body.isOver, 'all of the body was sent before the directive');
      await reader.return?.();
    },
  },
  {
    id: 'transport/interleaving/directive-overtakes-unread-body',
    title: 'delivers a directive behind a large body that nobody reads',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      here.send({ header: { n: 0 }, body: new StreamedBody(64 * MIB) });
      here.send({ header: { n: 1 } });
      assert.deepEqual(numbersOf(await hear(there).count(2)), [0, 1]);
    },
  },
  {
    id: 'transport/interleaving/directive-overtakes-body-in-memory',
    title: 'delivers a directive behind a large body that is in memory and that nobody reads',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      here.send({ header: { n: 0 }, body: inMemory([24 * MIB]) });
      here.send({ header: { n: 1 } });
      assert.deepEqual(numbersOf(await hear(there).count(2)), [0, 1]);
    },
  },
  {
    id: 'transport/interleaving/bodies-side-by-side',
    title: 'lets two bodies be read side by side, however much is left of each',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      const bodies = [new StreamedBody(16 * MIB, { seed: 1 }), new StreamedBody(16 * MIB, { seed: 2 })];
      for (const body of bodies) here.send({ header: {}, body });
      const readers = [readerOf(await toThere.next()), readerOf(await toThere.next())];
      const read = [0, 0];
      while (Math.min(...read) < 16 * MIB) {
        for (const [n, reader] of readers.entries()) {
          const next = await reader.next();
          if (next.done === true) continue;
          assert.deepEqual(
            next.value.subarray(0, 64),
            patternAt(read[n] ?? 0, 64, n + 1).subarray(0, next.value.byteLength),
          );
          read[n] = (read[n] ?? 0) + next.value.byteLength;
        }
      }
      assert.deepEqual(read, [16 * MIB, 16 * MIB]);
    },
  },
  {
    id: 'transport/interleaving/read-in-reverse',
    title: 'lets bodies be read in another order than that of sending',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      for (const n of upTo(8)) here.send({ header: { n }, body: new StreamedBody(3 * MIB, { seed: n }) });
      const came = await toThere.count(8);
      for (const envelope of came.toReversed())
        await assertBody(envelope, 3 * MIB, Number(envelope.header['n']));
    },
  },
  {
    id: 'transport/interleaving/short-behind-long',
    title: 'gives a short body to its reader while a long one before it is half read',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      here.send({ header: {}, body: new StreamedBody(64 * MIB) });
      const long = readerOf(await toThere.next());
      await long.next();
      here.send({ header: {}, body: new StreamedBody(300_000, { seed: 5 }) });
      await assertBody(await toThere.next(), 300_000, 5);
      await long.return?.();
    },
  },
  {
    id: 'transport/interleaving/slow-source',
    title: 'lets others go on while a body waits for its own source',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      let goOn = (): void => undefined;
      const waits = new Promise<void>((resolve) => (goOn = resolve));
      here.send({
        header: {},
        body: chunked(20, async function* () {
          yield patternAt(0, 10);
          await waits;
          yield patternAt(10, 10);
        }),
      });
      here.send({ header: {}, body: new StreamedBody(2 * MIB, { seed: 1 }) });
      const slow = assertBody(await toThere.next(), 20);
      await assertBody(await toThere.next(), 2 * MIB, 1);
      goOn();
      await slow;
    },
  },
  {
    id: 'transport/interleaving/other-way-overtakes',
    title: 'carries answers against the direction of a large body while it is under way',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const [toHere, toThere] = [hear(here), hear(there)];
      const body = new StreamedBody(64 * MIB);
      here.send({ header: {}, body });
      const reader = readerOf(await toThere.next());
      for (let n = 0; n < 20; n += 1) {
        await reader.next();
        there.send({ header: { n } });
        assert.equal((await toHere.next()).header['n'], n);
      }
      assert.ok(!body.isOver, 'all of the body was sent before the answers');
      await reader.return?.();
    },
  },
];

/** How a body ends for each side: the half of a connection that closes on its own. */
export const halfCloseCases: readonly TransportCase[] = [
  {
    id: 'transport/half-close/source-ends',
    title: 'lets the source of a body end when all of it was read',
    promise: 'connection-bodies',
    async run({ connected }) {
      const { here, there } = await connected();
      const body = new StreamedBody(5 * MIB);
      here.send({ header: {}, body });
      await assertBody(await hear(there).next(), 5 * MIB);
      await turns(5);
      assert.ok(body.isOver, 'the source still waits to be asked');
    },
  },
  {
    id: 'transport/half-close/reader-gives-up',
    title: 'ends the source of a body whose reader gives up in the middle, and goes on',
    promise: 'connection-bodies',
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      const ended = endOfSource();
      here.send({ header: {}, body: chunked(64 * MIB, ended.chunks) });
      const reader = readerOf(await toThere.next());
      await reader.next();
      await reader.return?.();
      await ended.promise;
      here.send({ header: {}, body: new StreamedBody(MIB) });
      await assertBody(await toThere.next(), MIB);
    },
  },
  {
    id: 'transport/half-close/reader-never-begins',
    title: 'ends the source of a body that its reader gives up before the first chunk',
    promise: 'connection-bodies',
    needs: needsPieces,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      const ended = endOfSource();
      here.send({ header: {}, body: chunked(64 * MIB, ended.chunks) });
      await readerOf(await toThere.next()).return?.();
      await ended.promise;
      here.send({ header: { n: 1 } });
      await toThere.next();
    },
  },
  {
    id: 'transport/half-close/reader-gives-up-while-waiting',
    title: 'lets a reader give up while it waits for a chunk that does not come',
    promise: 'connection-bodies',
    needs: needsPieces,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      const never = new Promise<void>(() => undefined);
      here.send({
        header: {},
        body: chunked(10, async function* () {
          yield patternAt(0, 1);
          await never;
        }),
      });
      const reader = readerOf(await toThere.next());
      await reader.next();
      const waiting = reader.next();
      await reader.return?.();
      assert.equal((await waiting).done, true);
      here.send({ header: { n: 1 } });
      await toThere.next();
    },
  },
];

/** A source of many chunks, and when it was told to end. */
function endOfSource(): {
  readonly chunks: () => AsyncGenerator<Uint8Array>;
  readonly promise: Promise<void>;
} {
  let end = (): void => undefined;
  const promise = new Promise<void>((resolve) => (end = resolve));
  return {
    promise,
    async *chunks() {
      try {
        for (let at = 0; at < 64 * MIB; at += MIB) yield patternAt(at, MIB);
      } finally {
        end();
      }
    },
  };
}
