import assert from 'node:assert/strict';
import type { Connection } from '../ports/transport.js';
import { assertRejects, assertThrows } from './assert-code.js';
import { Heard } from './heard.js';
import { assertBody, assertPrefix, hear, inMemory, numbersOf, StreamedBody, fill } from './sample-bodies.js';
import type { ConnectionEnds, TransportCase } from './transport-subject.js';

const promise = 'connection-close';
const MIB = 1024 * 1024;

/** Closing in good order. */
export const closeCases: readonly TransportCase[] = [
  {
    id: 'transport/close/delivers-before',
    title: 'delivers everything that was sent before it was closed, to the last envelope',
    promise,
    async run({ connected }) {
      for (const count of [1, 2, 1_000]) {
        const { here, there } = await connected();
        const toThere = hear(there);
        for (let n = 0; n < count; n += 1) here.send({ header: { n } });
        await here.close();
        await toThere.completed;
        assert.equal(toThere.all.length, count);
        assertPrefix(toThere.all);
      }
    },
  },
  {
    id: 'transport/close/delivers-bodies-before',
    title: 'delivers bodies that were sent before it was closed, to the last byte',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      here.send({ header: {}, body: inMemory([100_000]) });
      here.send({ header: {}, body: inMemory([3 * MIB], 1) });
      here.send({ header: {}, body: new StreamedBody(3 * MIB, { seed: 2 }) });
      const closed = here.close();
      await assertBody(await toThere.next(), 100_000);
      await assertBody(await toThere.next(), 3 * MIB, 1);
      await assertBody(await toThere.next(), 3 * MIB, 2);
      await Promise.all([closed, toThere.completed]);
    },
  },
  {
    id: 'transport/close/delivers-to-late-subscriber',
    title: 'keeps what was sent before it was closed for somebody who subscribes later, then completes',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      for (let n = 0; n < 10; n += 1) here.send({ header: { n } });
      await here.close();
      await stateEnds(there);
      const toThere = hear(there);
      await toThere.completed;
      assert.equal(toThere.all.length, 10);
      assertPrefix(toThere.all);
    },
  },
  {
    id: 'transport/close/completes-both-ends',
    title: 'completes what comes in at both ends, without an error',
    promise,
    async run({ listen, connected }) {
      await fromBothEnds(await listen(), connected, async (closing, other) => {
        const heard = [hear(closing), hear(other)];
        await closing.close('done');
        for (const each of heard) await each.completed;
      });
    },
  },
  {
    id: 'transport/close/refuses-to-send',
    title: 'refuses to send once it is closed, by either side',
    promise,
    async run({ listen, connected }) {
      await fromBothEnds(await listen(), connected, async (closing, other) => {
        const { completed } = hear(other);
        await closing.close();
        await completed;
        for (const end of [closing, other]) assertThrows(() => end.send({ header: {} }), 'TRANSPORT_CLOSED');
      });
    },
  },
  {
    id: 'transport/close/refuses-to-send-at-once',
    title: 'refuses to send from the moment that `close` was called',
    promise,
    async run({ connected }) {
      const { here } = await connected();
      const closed = here.close();
      assertThrows(() => here.send({ header: {} }), 'TRANSPORT_CLOSED');
      await closed;
    },
  },
  {
    id: 'transport/close/delivers-nothing-behind',
    title: 'delivers nothing behind the end, also of what both ends send as they close',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const heard = [hear(here), hear(there)];
      const ends = [here, there];
      for (let n = 0; n < 50; n += 1) for (const end of ends) end.send({ header: { n } });
      await Promise.all(ends.map((end) => end.close()));
      for (const each of heard) {
        await each.completed;
        assertPrefix(each.all);
      }
      const counts = heard.map(({ all }) => all.length);
      for (const end of ends) assertThrows(() => end.send({ header: {} }), 'TRANSPORT_CLOSED');
      assert.deepEqual(
        heard.map(({ all }) => all.length),
        counts,
      );
    },
  },
  {
    id: 'transport/close/rejects-drained',
    title: 'rejects those who wait for room once it is closed, by either side',
    promise,
    async run({ listen, connected }) {
      await fromBothEnds(await listen(), connected, async (closing, other) => {
        const { completed } = hear(other);
        await closing.close();
        await completed;
        for (const end of [closing, other]) await assertRejects(end.drained(), 'TRANSPORT_CLOSED');
      });
    },
  },
  {
    id: 'transport/close/rejects-waiting',
    title: 'rejects those who wait for room when it closes, by either side',
    promise,
    async run({ listen, connected }) {
      await fromBothEnds(await listen(), connected, async (closing, other) => {
        const waiting = [];
        for (const end of [closing, other]) {
          fill(end);
          waiting.push(assertRejects(end.drained(), 'TRANSPORT_CLOSED'));
        }
        await Promise.all([closing.close(), other.close(), ...waiting]);
      });
    },
  },
  {
    id: 'transport/close/twice',
    title: 'does nothing when it is closed again, at once, later or by the other side',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      here.send({ header: { n: 0 } });
      await Promise.all([here.close('one'), here.close('two')]);
      await here.close('three');
      await toThere.completed;
      await there.close('four');
      assert.deepEqual(numbersOf(toThere.all), [0]);
    },
  },
  {
    id: 'transport/close/any-reason',
    title: 'closes for any reason: none, an empty one, a long one, one beyond ASCII',
    promise,
    async run({ listen, connected }) {
      const listener = await listen();
      for (const reason of [undefined, '', 'r'.repeat(10_000), '漢字🎈'.repeat(50), 'two\nlines\u0000']) {
        const { here, there } = await connected(listener);
        const { completed } = hear(there);
        await here.close(reason);
        await completed;
      }
    },
  },
  {
    id: 'transport/close/others-go-on',
    title: 'leaves the other connections of the listener as they are',
    promise,
    async run({ listen, connected }) {
      const listener = await listen();
      const [one, two, three] = [
        await connected(listener),
        await connected(listener),
        await connected(listener),
      ];
      const toThere = hear(two.there);
      await Promise.all([one.here.close(), three.there.close()]);
      two.here.send({ header: { n: 0 } });
      assertPrefix(await toThere.count(1));
    },
  },
  {
    id: 'transport/close/at-once',
    title: 'can be closed as soon as it is open, by either side',
    promise,
    async run({ listen, dial, connected }) {
      const listener = await listen();
      await fromBothEnds(listener, connected, async (closing, other) => {
        await closing.close();
        await hear(other).completed;
      });
      for (let n = 0; n < 5; n += 1) await (await dial(listener.address)).close();
    },
  },
];

/** Does something twice: with the end that dialled first, and with the other. */
export async function fromBothEnds(
  listener: ConnectionEnds['listener'],
  connected: (listener: ConnectionEnds['listener']) => Promise<ConnectionEnds>,
  act: (closing: Connection, other: Connection) => Promise<void>,
): Promise<void> {
  const one = await connected(listener);
  await act(one.here, one.there);
  const two = await connected(listener);
  await act(two.there, two.here);
}

async function stateEnds({ state$ }: Connection): Promise<void> {
  await new Heard(state$).completed;
}
