import assert from 'node:assert/strict';
import type { Envelope } from '../ports/transport.js';
import {
  assertBody,
  assertPrefix,
  hear,
  inMemory,
  numbersOf,
  sendNumbers,
  StreamedBody,
  upTo,
} from './sample-bodies.js';
import type { TransportCase } from './transport-subject.js';
import { turn } from './turns.js';

const promise = 'connection-order';
const MANY = 10_000;

/** Everything once, in the order of sending. */
export const orderingCases: readonly TransportCase[] = [
  {
    id: 'transport/ordering/keeps-order',
    title: 'delivers ten thousand envelopes of one turn in order, each once',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      for (let n = 0; n < MANY; n += 1) here.send({ header: { n } });
      assertPrefix(await toThere.count(MANY));
      await here.close();
      await toThere.completed;
      assert.equal(toThere.all.length, MANY);
    },
  },
  {
    id: 'transport/ordering/keeps-order-both-ways',
    title: 'keeps the order of each direction while both send',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const heard = [hear(here), hear(there)];
      await Promise.all([sendNumbers(here, MANY), sendNumbers(there, MANY)]);
      for (const each of heard) assertPrefix(await each.count(MANY));
    },
  },
  {
    id: 'transport/ordering/keeps-order-of-all-sizes',
    title: 'keeps the order of envelopes whose bodies are small, large or none',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      const sizes = [0, 10, 300_000, 200, 70_000, 1, 1_000_000];
      for (let n = 0; n < 70; n += 1) {
        const size = sizes[n % sizes.length] ?? 0;
        here.send({ header: { n }, ...(n % 3 > 0 && { body: inMemory([size], n) }) });
      }
      for (let n = 0; n < 70; n += 1) {
        const envelope = await toThere.next();
        assert.equal(envelope.header['n'], n);
        if (n % 3 > 0) await assertBody(envelope, sizes[n % sizes.length] ?? 0, n);
      }
    },
  },
  {
    id: 'transport/ordering/keeps-order-turn-by-turn',
    title: 'keeps the order of what is sent in many turns, with pauses between',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      for (let n = 0; n < 300; n += 1) {
        here.send({ header: { n } });
        if (n % 3 === 0) await turn();
        if (n % 7 === 0) await Promise.resolve();
      }
      assertPrefix(await toThere.count(300));
    },
  },
  {
    id: 'transport/ordering/last-of-a-turn',
    title: 'delivers the last envelope of a turn without another one behind it',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      for (let n = 0; n < 100; n += 1) {
        here.send({ header: { n } });
        assert.equal((await toThere.next()).header['n'], n);
      }
      for (let n = 100; n < 200; n += 1) here.send({ header: { n } });
      assertPrefix(await toThere.count(200));
    },
  },
  {
    id: 'transport/ordering/keeps-for-subscriber',
    title: 'keeps what came before anybody subscribed, in order, and what comes then behind it',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      for (let n = 0; n < 500; n += 1) here.send({ header: { n } });
      // Has arrived by the time that what was sent the other way is answered.
      const toHere = hear(here);
      there.send({ header: { n: 0 } });
      await toHere.next();
      const toThere = hear(there);
      for (let n = 500; n < 1_000; n += 1) here.send({ header: { n } });
      assertPrefix(await toThere.count(1_000));
    },
  },
  {
    id: 'transport/ordering/sends-from-within',
    title: 'keeps order when envelopes are sent by what handles others',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const echoed = hear(here);
      there.inbound$.subscribe(({ header }) => {
        for (let part = 0; part < 2; part += 1) there.send({ header: { n: 2 * Number(header['n']) + part } });
      });
      await sendNumbers(here, 1_000);
      assertPrefix(await echoed.count(2_000));
    },
  },
  {
    id: 'transport/ordering/not-in-turn-of-sender',
    title: 'delivers nothing within the call that sends it',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      // So that the link is warm.
      here.send({ header: { n: 0 } });
      await toThere.next();
      here.send({ header: { n: 1 }, body: inMemory([10]) });
      assert.equal(toThere.all.length, 1);
      await toThere.next();
    },
  },
  {
    id: 'transport/ordering/across-drains',
    title: 'keeps order and loses nothing when its sender waits for room again and again',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      const body = inMemory([200_000]);
      for (let n = 0; n < 500; n += 1) if (!here.send({ header: { n }, body })) await here.drained();
      assertPrefix(await toThere.count(500));
    },
  },
];

const roundTrips = 1_000;

/** Much at once, both ways. */
export const loadCases: readonly TransportCase[] = [
  {
    id: 'transport/load/large-bodies-both-ways',
    title: 'carries 32 MiB each way at once',
    promise: 'connection-bytes',
    async run({ connected }) {
      const { here, there } = await connected();
      const size = 32 * 1024 * 1024;
      here.send({ header: {}, body: new StreamedBody(size, { seed: 1 }) });
      there.send({ header: {}, body: new StreamedBody(size, { seed: 2 }) });
      const [toHere, toThere] = await Promise.all([hear(here).next(), hear(there).next()]);
      await Promise.all([assertBody(toThere, size, 1), assertBody(toHere, size, 2)]);
    },
  },
  {
    id: 'transport/load/thousand-bodies',
    title: 'carries a thousand bodies at once, each to its reader',
    promise: 'connection-bytes',
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      const size = (n: number): number => 5_000 + 13 * n;
      for (let n = 0; n < 1_000; n += 1)
        here.send({ header: { n }, body: new StreamedBody(size(n), { seed: n, chunkBytes: 4_096 }) });
      const came = await toThere.count(1_000);
      await Promise.all(came.map((envelope, n) => assertBody(envelope, size(n), n)));
    },
  },
  {
    id: 'transport/load/twenty-connections',
    title: 'carries bodies over twenty connections at once',
    promise: 'connection-bytes',
    async run({ listen, connected }) {
      const listener = await listen();
      const one = async (n: number): Promise<void> => {
        const { here, there } = await connected(listener);
        const [toHere, toThere] = [hear(here), hear(there)];
        here.send({ header: { n }, body: new StreamedBody(500_000 + n, { seed: n }) });
        const envelope = await toThere.next();
        there.send({ header: envelope.header, body: inMemory([300_000 + n], n) });
        await Promise.all([
          assertBody(envelope, 500_000 + Number(envelope.header['n']), Number(envelope.header['n'])),
          toHere.next().then((back) => assertBody(back, 300_000 + Number(back.header['n']), n)),
        ]);
      };
      for (let round = 0; round < 2; round += 1) await Promise.all(upTo(10).map((n) => one(10 * round + n)));
    },
  },
  {
    id: 'transport/load/round-trips',
    title: 'answers a thousand questions one after the other',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      there.inbound$.subscribe((envelope: Envelope) => void there.send(envelope));
      const answers = hear(here);
      for (let n = 0; n < roundTrips; n += 1) {
        here.send({ header: { n } });
        assert.equal((await answers.next()).header['n'], n);
      }
    },
  },
  {
    id: 'transport/load/directives-among-bodies',
    title: 'delivers a thousand directives each way, in order, while bodies go both ways',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const heard = [hear(here), hear(there)];
      const size = 8 * 1024 * 1024;
      for (const end of [here, there]) end.send({ header: { n: 0 }, body: new StreamedBody(size) });
      const bodies = heard.map(async (each) => assertBody(await each.next(), size));
      for (let n = 1; n <= 1_000; n += 1) {
        for (const end of [here, there]) end.send({ header: { n } });
        if (n % 50 === 0) await turn();
      }
      for (const each of heard) assert.deepEqual(numbersOf(await each.count(1_001)), upTo(1_001));
      await Promise.all(bodies);
    },
  },
  {
    id: 'transport/load/relays',
    title: 'lets a body that comes over one connection go on over another while it comes',
    promise: 'connection-bytes',
    async run({ listen, connected }) {
      const listener = await listen();
      const [first, second] = [await connected(listener), await connected(listener)];
      first.there.inbound$.subscribe((envelope) => void second.there.send(envelope));
      const size = 24 * 1024 * 1024;
      first.here.send({ header: {}, body: new StreamedBody(size, { chunkBytes: 100_000 }) });
      await assertBody(await hear(second.here).next(), size);
    },
  },
];
