import assert from 'node:assert/strict';
import type { Connection } from '../ports/transport.js';
import { assertCode, assertRejects } from './assert-code.js';
import { Heard } from './heard.js';
import { assertCarries, hear, numbersOf } from './sample-bodies.js';
import type { TransportCase } from './transport-subject.js';

const promise = 'transport-addresses';

/** Listening and dialling. */
export const lifecycleCases: readonly TransportCase[] = [
  {
    id: 'transport/lifecycle/declares-itself',
    title: 'says its name, its schemes, and the capabilities by which it is tested',
    promise,
    async run({ listening, dialling, capabilities }) {
      for (const transport of [listening, dialling]) {
        assert.match(transport.name, /^[a-z][\w-]*$/);
        assert.ok(transport.schemes.length > 0, 'it has no schemes');
        for (const scheme of transport.schemes) assert.match(scheme, /^[a-z][a-z0-9+.-]*:$/);
        assert.deepEqual({ ...transport.capabilities }, { ...capabilities });
      }
      assert.equal(capabilities.ordered, true, 'the engine needs order');
      assert.ok(capabilities.largestBodyBytes > 0, 'largestBodyBytes');
    },
  },
  {
    id: 'transport/lifecycle/tells-dialable-address',
    title: 'has listeners tell the address to dial, in one of its schemes',
    promise,
    async run({ listening, listen, dial }) {
      const { address } = await listen();
      const { schemes } = listening;
      assert.ok(
        schemes.some((scheme) => address.startsWith(scheme)),
        `${address} has none of ${schemes.join(', ')}`,
      );
      await dial(address);
    },
  },
  {
    id: 'transport/lifecycle/one-dial-one-connection',
    title: 'makes exactly one connection of one dial',
    promise,
    async run({ listen, dial }) {
      const listener = await listen();
      const came = new Heard(listener.connections$);
      const ends: Connection[] = [];
      for (let n = 0; n < 3; n += 1) {
        const here = await dial(listener.address);
        ends.push(here);
        // What it says has been carried by the time it is heard, and with it whatever else the dial set off.
        here.send({ header: { n } });
        const there = (await came.count(n + 1))[n] as Connection;
        assert.equal((await hear(there).next()).header['n'], n);
      }
      assert.equal(came.all.length, 3);
      await Promise.all(ends.map((end) => end.close()));
    },
  },
  {
    id: 'transport/lifecycle/keeps-connections-for-subscriber',
    title: 'keeps new connections, in order, until somebody subscribes to the listener',
    promise,
    async run({ listen, dial }) {
      const listener = await listen();
      for (let n = 0; n < 3; n += 1) (await dial(listener.address)).send({ header: { n } });
      const came = await new Heard(listener.connections$).count(3);
      const first = await Promise.all(came.map((connection) => hear(connection).next()));
      assert.deepEqual(numbersOf(first), [0, 1, 2]);
      for (const connection of came) await connection.close();
    },
  },
  {
    id: 'transport/lifecycle/keeps-connections-apart',
    title: 'keeps what twenty connections of one listener carry apart',
    promise,
    async run({ listen, connected }) {
      const listener = await listen();
      const heard = [];
      for (let n = 0; n < 20; n += 1) {
        const { here, there } = await connected(listener);
        heard.push({ n, here, there, toHere: hear(here), toThere: hear(there) });
      }
      for (const { n, here, there } of heard.toReversed()) {
        here.send({ header: { n } });
        there.send({ header: { n: 100 + n } });
      }
      for (const { n, toHere, toThere } of heard) {
        assert.deepEqual(numbersOf(await toThere.count(1)), [n]);
        assert.deepEqual(numbersOf(await toHere.count(1)), [100 + n]);
      }
    },
  },
  {
    id: 'transport/lifecycle/keeps-listeners-apart',
    title: 'brings each dial to the listener of its address',
    promise,
    async run({ listen, dial, accept }) {
      const [one, two] = [await listen(), await listen()];
      assert.notEqual(one.address, two.address);
      (await dial(two.address)).send({ header: { n: 2 } });
      (await dial(one.address)).send({ header: { n: 1 } });
      assert.equal((await hear(await accept(one)).next()).header['n'], 1);
      assert.equal((await hear(await accept(two)).next()).header['n'], 2);
    },
  },
  {
    id: 'transport/lifecycle/names-peers',
    title: 'names the peer of each connection, for logs',
    promise,
    async run({ connected }) {
      for (const { peer } of Object.values(await connected()).filter(isConnection))
        assert.ok(peer.length > 0 && peer.length <= 1_000, `the peer is named ${JSON.stringify(peer)}`);
    },
  },
  {
    id: 'transport/lifecycle/refuses-address-in-use',
    title: 'refuses to listen where somebody listens, who goes on',
    promise,
    async run({ listen, listening, connected }) {
      const listener = await listen();
      await assertRejects(listening.listen(listener.address), 'TRANSPORT_ADDRESS_IN_USE');
      await assertCarries(await connected(listener));
    },
  },
  {
    id: 'transport/lifecycle/refuses-unreachable-address',
    title: 'rejects a dial to where nobody listens, and names the address',
    promise,
    async run({ nowhere, dialling }) {
      const address = await nowhere();
      const error: unknown = await dialling.dial(address).catch((reason: unknown) => reason);
      assertCode(error, 'TRANSPORT_UNREACHABLE');
      const named = address.split(/:\/*/).at(1) ?? '';
      assert.ok((error as Error).message.includes(named), `"${(error as Error).message}" lacks ${named}`);
    },
  },
  {
    id: 'transport/lifecycle/refuses-foreign-address',
    title:
      'rejects an address of a scheme that it does not speak, to dial and to listen, without throwing at once',
    promise,
    async run({ listening, dialling }) {
      for (const address of ['compliance-unknown://127.0.0.1:1/', 'no address at all', '']) {
        await assertRejects(dialling.dial(address), 'OPTION_INVALID', 'TRANSPORT_UNREACHABLE');
        await assertRejects(listening.listen(address), 'OPTION_INVALID', 'TRANSPORT_UNREACHABLE');
      }
    },
  },
  {
    id: 'transport/lifecycle/closed-listener-takes-nobody',
    title: 'takes nobody once its listener is closed',
    promise,
    async run({ listen, dialling }) {
      const listener = await listen();
      const { address } = listener;
      const came = new Heard(listener.connections$);
      await listener.close();
      await assertRejects(dialling.dial(address), 'TRANSPORT_UNREACHABLE');
      assert.equal(came.all.length, 0);
    },
  },
  {
    id: 'transport/lifecycle/listener-close-completes',
    title: 'completes the connections of a listener when it closes, for late subscribers too',
    promise,
    async run({ listen }) {
      const [early, late] = [await listen(), await listen()];
      const came = new Heard(early.connections$);
      await Promise.all([early.close(), late.close()]);
      await Promise.all([came.completed, new Heard(late.connections$).completed]);
    },
  },
  {
    id: 'transport/lifecycle/listener-close-ends-connections',
    title: 'closes the connections of a listener with it, those that nobody took included',
    promise,
    async run({ listen, dial, connected }) {
      const [taken, waiting] = [await listen(), await listen()];
      const { here, there } = await connected(taken);
      const untaken = await dial(waiting.address);
      const ended = [here, there, untaken].map((end) => hear(end).completed);
      await Promise.all([taken.close(), waiting.close(), ...ended]);
    },
  },
  {
    id: 'transport/lifecycle/listener-close-twice',
    title: 'does nothing when a listener is closed again, at once or later',
    promise,
    async run({ connected }) {
      const { listener, here } = await connected();
      const { completed } = hear(here);
      await Promise.all([listener.close(), listener.close()]);
      await listener.close();
      await completed;
    },
  },
  {
    id: 'transport/lifecycle/keeps-its-address',
    title: 'tells the same address of a listener as long as it is there, and after',
    promise,
    async run({ connected }) {
      const { listener } = await connected();
      const { address } = listener;
      await listener.close();
      assert.equal(listener.address, address);
    },
  },
  {
    id: 'transport/lifecycle/frees-address',
    title: 'frees the address of a listener that has closed',
    promise,
    async run({ listen, nowhere, connected }) {
      const address = await nowhere();
      for (let n = 0; n < 3; n += 1) {
        const listener = await listen(address);
        await assertCarries(await connected(listener));
        await listener.close();
      }
    },
  },
  {
    id: 'transport/lifecycle/closes-while-dialled',
    title: 'lets a dial that meets a closing listener fail, or get a connection that closes',
    promise,
    async run({ listen, dialling }) {
      const listener = await listen();
      const dials = Array.from({ length: 10 }, () => dialling.dial(listener.address));
      const closed = listener.close();
      for (const dialled of await Promise.allSettled(dials)) {
        if (dialled.status === 'fulfilled') await hear(dialled.value).completed;
        else assertCode(dialled.reason, 'TRANSPORT_UNREACHABLE', 'TRANSPORT_REFUSED', 'TRANSPORT_CLOSED');
      }
      await closed;
    },
  },
];

function isConnection(value: object): value is Connection {
  return 'inbound$' in value;
}
