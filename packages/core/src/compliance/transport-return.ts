import assert from 'node:assert/strict';
import { assertRejects, assertThrows } from './assert-code.js';
import { Heard } from './heard.js';
import {
  assertCarries,
  assertPrefix,
  hear,
  inMemory,
  numbersOf,
  sendNumbers,
  StreamedBody,
  fill,
} from './sample-bodies.js';
import { needsLink, type TransportCase } from './transport-subject.js';

const promise = 'transport-return';

/** Coming back after a loss. What nodes say to each other then is the business of core. */
export const reconnectCases: readonly TransportCase[] = [
  {
    id: 'transport/reconnect/again-and-again',
    title: 'connects again after each of fifty closes, by either side',
    promise,
    async run({ listen, connected }) {
      const listener = await listen();
      for (let n = 0; n < 50; n += 1) {
        const { here, there } = await connected(listener);
        const [closing, other] = n % 2 === 0 ? [here, there] : [there, here];
        const heard = hear(other);
        closing.send({ header: { n } });
        await closing.close();
        await heard.completed;
        assert.deepEqual(numbersOf(heard.all), [n]);
      }
    },
  },
  {
    id: 'transport/reconnect/to-next-listener',
    title: 'connects to the next listener at an address when that of before has closed',
    promise,
    async run({ listen, connected }) {
      const first = await listen();
      const { address } = first;
      const lost = await connected(first);
      const ended = hear(lost.here).completed;
      await first.close();
      await ended;
      const second = await listen(address);
      assert.equal(second.address, address);
      await assertCarries(await connected(second));
      assertThrows(() => lost.here.send({ header: {} }), 'TRANSPORT_CLOSED');
    },
  },
  {
    id: 'transport/reconnect/waits-for-listener',
    title: 'can be dialled in vain until a listener is there, and then not in vain',
    promise,
    async run({ listen, nowhere, connected, dialling }) {
      const address = await nowhere();
      for (let n = 0; n < 5; n += 1) await assertRejects(dialling.dial(address), 'TRANSPORT_UNREACHABLE');
      await assertCarries(await connected(await listen(address)));
    },
  },
  {
    id: 'transport/reconnect/knows-nothing-of-before',
    title: 'brings nothing of a lost connection into the next one',
    promise,
    async run({ listen, connected }) {
      const listener = await listen();
      const lost = await connected(listener);
      for (let n = 0; n < 100; n += 1)
        lost.here.send({ header: { n: `lost ${n}` }, body: inMemory([10_000]) });
      await Promise.all([lost.there.close(), lost.here.close()]);
      const next = await connected(listener);
      const toThere = hear(next.there);
      await sendNumbers(next.here, 100);
      assertPrefix(await toThere.count(100));
    },
  },
  {
    id: 'transport/reconnect/has-room-again',
    title: 'has room in a new connection, though the one before was full',
    promise,
    async run({ listen, connected }) {
      const listener = await listen();
      const full = await connected(listener);
      fill(full.here);
      await Promise.all([full.there.close(), full.here.close()]);
      const next = await connected(listener);
      assert.equal(next.here.full, false);
      assert.equal(next.here.send({ header: {} }), true);
    },
  },
  {
    id: 'transport/reconnect/from-end-of-state',
    title: 'lets whoever hears `closed` dial at once',
    promise,
    async run({ listen, accept, dial }) {
      const listener = await listen();
      const here = await dial(listener.address);
      const there = await accept(listener);
      const again = new Heard(here.state$).completed.then(() => dial(listener.address));
      hear(here);
      await there.close();
      await assertCarries({ here: await again, there: await accept(listener) });
    },
  },
  {
    id: 'transport/reconnect/several-at-once',
    title: 'makes several connections of dials at the same time, each its own',
    promise,
    async run({ listen, dial }) {
      const listener = await listen();
      const came = new Heard(listener.connections$);
      const ends = await Promise.all(Array.from({ length: 20 }, () => dial(listener.address)));
      for (const [n, end] of ends.entries()) end.send({ header: { n } });
      const theirs = await came.count(20);
      const first = await Promise.all(theirs.map((connection) => hear(connection).next()));
      const numbers = numbersOf(first) as number[];
      assert.deepEqual(
        numbers.toSorted((one, two) => one - two),
        Array.from({ length: 20 }, (_, n) => n),
      );
      for (const connection of theirs) await connection.close();
    },
  },
  {
    id: 'transport/reconnect/after-crash',
    title: 'connects again over a link that was cut, as often as it is',
    promise,
    needs: needsLink,
    async run({ listen, link, dial, accept }) {
      const listener = await listen();
      const way = await link(listener);
      for (let n = 0; n < 10; n += 1) {
        const here = await dial(way.address);
        const there = await accept(listener);
        const heard = [hear(here), hear(there)] as const;
        await assertCarries({ here, there }, [...heard]);
        if (n % 2 === 0) here.send({ header: {}, body: new StreamedBody(10_000_000) });
        way.cut();
        for (const each of heard) await each.completed;
      }
    },
  },
  {
    id: 'transport/reconnect/delivers-no-more-after-crash',
    title: 'delivers nothing of a lost connection later, when another one is there',
    promise,
    needs: needsLink,
    async run({ listen, linked, connected }) {
      const listener = await listen();
      const lost = await linked(listener);
      const heard = hear(lost.there);
      lost.link.freeze();
      for (let n = 0; n < 100; n += 1) lost.here.send({ header: { n } });
      lost.link.cut();
      await heard.completed;
      const count = heard.all.length;
      await assertCarries(await connected(listener));
      assert.equal(heard.all.length, count);
      assertPrefix(heard.all);
    },
  },
];
