import assert from 'node:assert/strict';
import type { Connection } from '../ports/transport.js';
import {
  assertBody,
  assertPrefix,
  bodyIn,
  hear,
  inMemory,
  readerOf,
  StreamedBody,
  fill,
} from './sample-bodies.js';
import { needsPieces, type TransportCase } from './transport-subject.js';
import { settles, turn } from './turns.js';

const promise = 'connection-backpressure';
const MIB = 1024 * 1024;
/** No connection may have that much under way: windows, sockets and what is in hand come to less. */
const MOST_UNDER_WAY = 128 * MIB;
const PIECE = inMemory([200_000]);

/** Sends until there is no more room for good, as a sender does that waits when it is told to. */
export class EagerSender {
  sent = 0;
  isStopped = false;
  readonly #connection: Connection;
  readonly finished: Promise<void>;

  constructor(connection: Connection, byteLength = MOST_UNDER_WAY) {
    this.#connection = connection;
    this.finished = this.#send(Math.ceil(byteLength / PIECE.byteLength));
    // Whoever waits for it is told.
    this.finished.catch(() => undefined);
  }

  async #send(count: number): Promise<void> {
    while (this.sent < count && !this.isStopped) {
      const n = this.sent;
      this.sent += 1;
      if (!this.#connection.send({ header: { n }, body: PIECE })) await this.#connection.drained();
    }
  }

  /** @throws `AssertionError` when it is never told to wait. */
  async untilStuck(): Promise<void> {
    const isDone = await settles(this.finished, () => this.sent);
    assert.ok(
      !isDone,
      `${MOST_UNDER_WAY} bytes were sent, and the sender was never told to wait for a peer that reads nothing`,
    );
    assert.ok(this.#connection.full, 'there is no room, but `full` is false');
  }
}

/** A sender that waits for its peer. */
export const backpressureCases: readonly TransportCase[] = [
  {
    id: 'transport/backpressure/has-room-at-first',
    title: 'has room at first, and drains at once',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      for (const end of [here, there]) {
        assert.equal(end.full, false);
        assert.equal(end.send({ header: {} }), true);
        await end.drained();
      }
    },
  },
  {
    id: 'transport/backpressure/says-full',
    title: 'tells a sender to wait whose peer reads nothing, before much is under way',
    promise,
    async run({ connected }) {
      const { here } = await connected();
      const sender = new EagerSender(here);
      await sender.untilStuck();
      sender.isStopped = true;
    },
  },
  {
    id: 'transport/backpressure/full-is-what-send-says',
    title: 'says by `full` what `send` has returned',
    promise,
    async run({ connected }) {
      const { here } = await connected();
      for (let n = 0; n < 1_000; n += 1) {
        const hasRoom = here.send({ header: { n }, body: PIECE });
        assert.equal(here.full, !hasRoom);
        if (!hasRoom) return;
      }
      assert.fail('two hundred megabytes in one turn were never too much');
    },
  },
  {
    id: 'transport/backpressure/drains',
    title: 'lets a sender go on when its peer reads again, and delivers all of it in order',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const sender = new EagerSender(here);
      await sender.untilStuck();
      const toThere = hear(there);
      await sender.finished;
      assertPrefix(await toThere.count(sender.sent));
      await here.drained();
      assert.equal(here.full, false);
    },
  },
  {
    id: 'transport/backpressure/wakes-all',
    title: 'tells everybody who waits for room',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      fill(here);
      const waiting = Array.from({ length: 5 }, () => here.drained());
      hear(there);
      await Promise.all(waiting);
    },
  },
  {
    id: 'transport/backpressure/takes-beyond-full',
    title: 'takes also what is sent although there is no room',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      let n = 0;
      for (; n < 1_000 && here.send({ header: { n }, body: PIECE }); n += 1);
      for (let more = 0; more < 10; more += 1) here.send({ header: { n: (n += 1) } });
      assertPrefix(await hear(there).count(n + 1));
    },
  },
  {
    id: 'transport/backpressure/other-way-goes-on',
    title: 'lets one direction go on while the other is full',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      fill(here);
      const toHere = hear(here);
      for (let n = 0; n < 1_000; n += 1) there.send({ header: { n } });
      assertPrefix(await toHere.count(1_000));
    },
  },
  {
    id: 'transport/backpressure/other-connections-go-on',
    title: 'lets other connections of the listener go on while one is full',
    promise,
    async run({ listen, connected }) {
      const listener = await listen();
      const [full, free] = [await connected(listener), await connected(listener)];
      fill(full.here);
      const toThere = hear(free.there);
      for (let n = 0; n < 1_000; n += 1) free.here.send({ header: { n } });
      assertPrefix(await toThere.count(1_000));
    },
  },
  {
    id: 'transport/backpressure/body-nobody-reads',
    title: 'asks little of a body that nobody reads',
    promise,
    needs: needsPieces,
    async run({ connected }) {
      const { here, there } = await connected();
      const body = new StreamedBody(256 * MIB);
      here.send({ header: {}, body });
      const toThere = hear(there);
      await toThere.next();
      await roundTrips(here, there, toThere);
      assert.ok(body.asked <= 32 * MIB, `${body.asked} bytes were asked of a body that nobody reads`);
    },
  },
  {
    id: 'transport/backpressure/slow-reader',
    title: 'never runs far ahead of a slow reader',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const body = new StreamedBody(96 * MIB);
      here.send({ header: {}, body });
      let read = 0;
      for await (const chunk of bodyIn(await hear(there).next()).chunks()) {
        read += chunk.byteLength;
        // Time enough to run ahead.
        await turn();
        assert.ok(body.asked - read <= 32 * MIB, `${body.asked} bytes were asked for when ${read} were read`);
      }
      assert.equal(read, body.byteLength);
    },
  },
  {
    id: 'transport/backpressure/reader-pauses',
    title: 'goes on with a body whose reader paused in the middle',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      const size = 12 * MIB;
      here.send({ header: {}, body: new StreamedBody(size) });
      const reader = readerOf(await toThere.next());
      let read = 0;
      for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
        const before = read;
        read += next.value.byteLength;
        if (Math.floor(before / MIB) < Math.floor(read / MIB)) await roundTrips(here, there, toThere, 2);
      }
      assert.equal(read, size);
    },
  },
  {
    id: 'transport/backpressure/full-of-bodies-nobody-reads',
    title: 'carries directives and further bodies while a hundred bodies are not read',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      for (let n = 0; n < 100; n += 1) here.send({ header: { n }, body: new StreamedBody(MIB) });
      here.send({ header: { n: 100 }, body: new StreamedBody(MIB, { seed: 7 }) });
      assertPrefix(await toThere.count(101));
      await assertBody(toThere.all[100] ?? { header: {} }, MIB, 7);
    },
  },
];

/** Back and forth: whatever is on its way meanwhile has arrived then. */
async function roundTrips(
  here: Connection,
  there: Connection,
  toThere: ReturnType<typeof hear>,
  count = 20,
): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const heard = toThere.all.length;
    here.send({ header: { type: 'round trip' } });
    await toThere.count(heard + 1);
    there.send({ header: { type: 'round trip' } });
    await turn();
  }
}
