import assert from 'node:assert/strict';
import type { Connection, Envelope } from '../ports/transport.js';
import { assertRejects, assertThrows } from './assert-code.js';
import { Heard } from './heard.js';
import {
  assertBody,
  assertCarries,
  assertPrefix,
  bodyIn,
  chunked,
  hear,
  sendNumbers,
  StreamedBody,
} from './sample-bodies.js';
import { patternAt } from './byte-pattern.js';
import { EagerSender } from './transport-backpressure.js';
import { outcomeOf } from './transport-cancel.js';
import { needsLink, needsPieces, type TransportAbilities, type TransportCase } from './transport-subject.js';
import { settles } from './turns.js';

const promise = 'connection-loss';
const MIB = 1024 * 1024;

async function readAll(envelope: Envelope): Promise<number> {
  let read = 0;
  for await (const chunk of bodyIn(envelope).chunks()) read += chunk.byteLength;
  return read;
}

/** Sends as long as the connection takes it. */
async function sendUntilClosed(connection: Connection): Promise<void> {
  const extra = { text: 'x'.repeat(1_000) };
  await assertRejects(sendNumbers(connection, Number.POSITIVE_INFINITY, extra), 'TRANSPORT_CLOSED');
}

function needsLinkAndPieces(abilities: TransportAbilities): string | undefined {
  return needsLink(abilities) ?? needsPieces(abilities);
}

/** The peer is gone without a goodbye. */
export const crashCases: readonly TransportCase[] = [
  {
    id: 'transport/crash/told-at-both-ends',
    title:
      'tells both ends of a connection that is lost: `closed`, and the end of what comes in, without an error',
    promise,
    needs: needsLink,
    async run({ linked }) {
      const { here, there, link } = await linked();
      const states = [new Heard(here.state$), new Heard(there.state$)];
      const heard = [hear(here), hear(there)];
      await assertCarries({ here, there }, heard as [Heard<Envelope>, Heard<Envelope>]);
      link.cut();
      for (const each of [...heard, ...states]) await each.completed;
      for (const { all } of states) assert.deepEqual(all, ['open', 'closed']);
    },
  },
  {
    id: 'transport/crash/refuses-to-send',
    title: 'refuses to send over a connection that is lost',
    promise,
    needs: needsLink,
    async run({ linked }) {
      const { here, there, link } = await linked();
      const ended = [hear(here).completed, hear(there).completed];
      link.cut();
      await Promise.all(ended);
      for (const end of [here, there]) {
        assertThrows(() => end.send({ header: {} }), 'TRANSPORT_CLOSED');
        await assertRejects(end.drained(), 'TRANSPORT_CLOSED');
      }
    },
  },
  {
    id: 'transport/crash/rejects-waiting',
    title: 'rejects those who wait for room when the connection is lost',
    promise,
    needs: needsLink,
    async run({ linked }) {
      const { here, link } = await linked();
      const sender = new EagerSender(here);
      await sender.untilStuck();
      const waiting = assertRejects(here.drained(), 'TRANSPORT_CLOSED');
      link.cut();
      await Promise.all([waiting, assertRejects(sender.finished, 'TRANSPORT_CLOSED')]);
    },
  },
  {
    id: 'transport/crash/no-gaps',
    title: 'has delivered, when it is lost in the middle, what was sent up to some point, without gaps',
    promise,
    needs: needsLink,
    async run({ linked }) {
      for (const count of [1, 100, 5_000]) {
        const { here, there, link } = await linked();
        const toThere = hear(there);
        const sending = sendUntilClosed(here);
        await toThere.count(count);
        link.cut();
        await Promise.all([sending, toThere.completed]);
        assertPrefix(toThere.all);
      }
    },
  },
  {
    id: 'transport/crash/fails-body',
    title: 'fails a body that is cut, for its reader, rather than ending it',
    promise,
    needs: needsLinkAndPieces,
    async run({ linked }) {
      const { here, there, link } = await linked();
      here.send({ header: {}, body: new StreamedBody(64 * MIB) });
      const reading = assertRejects(readAll(await hear(there).next()), 'TRANSPORT_CLOSED');
      link.cut();
      await reading;
    },
  },
  {
    id: 'transport/crash/ends-source',
    title: 'ends the source of a body whose connection is lost',
    promise,
    needs: needsLinkAndPieces,
    async run({ linked }) {
      const { here, there, link } = await linked();
      let end = (): void => undefined;
      const ended = new Promise<void>((resolve) => (end = resolve));
      here.send({
        header: {},
        body: chunked(64 * MIB, async function* () {
          try {
            for (let at = 0; at < 64 * MIB; at += MIB) yield patternAt(at, MIB);
          } finally {
            end();
          }
        }),
      });
      await hear(there).next();
      link.cut();
      await ended;
    },
  },
  {
    id: 'transport/crash/close-resolves',
    title: 'lets `close` of a connection that is lost resolve, and do nothing',
    promise,
    needs: needsLink,
    async run({ linked }) {
      const { here, there, link } = await linked();
      const ended = [hear(here).completed, hear(there).completed];
      link.cut();
      await here.close();
      await Promise.all(ended);
      await Promise.all([here.close(), there.close()]);
    },
  },
  {
    id: 'transport/crash/listener-goes-on',
    title: 'loses no other connection of the listener, and takes new ones',
    promise,
    needs: needsLink,
    async run({ listen, linked, connected }) {
      const listener = await listen();
      const other = await connected(listener);
      const lost = await linked(listener);
      const ended = hear(lost.there).completed;
      lost.link.cut();
      await ended;
      await assertCarries(other);
      await assertCarries(await connected(listener));
    },
  },
  {
    id: 'transport/crash/listener-closes',
    title: 'lets a listener close that has lost connections, and some that are about to be',
    promise,
    needs: needsLink,
    async run({ listen, linked }) {
      const listener = await listen();
      const [lost, losing] = [await linked(listener), await linked(listener)];
      const ended = hear(lost.there).completed;
      lost.link.cut();
      await ended;
      losing.link.cut();
      await listener.close();
    },
  },
];

/** The link is silent, and nobody has been told. */
export const halfOpenCases: readonly TransportCase[] = [
  {
    id: 'transport/half-open/goes-on',
    title: 'delivers what waited when a silent link speaks again, in order and each once',
    promise,
    needs: needsLink,
    async run({ linked }) {
      const { here, there, link } = await linked();
      const toThere = hear(there);
      link.freeze();
      for (let n = 0; n < 1_000; n += 1) here.send({ header: { n } });
      link.thaw();
      assertPrefix(await toThere.count(1_000));
    },
  },
  {
    id: 'transport/half-open/says-full',
    title: 'tells a sender to wait whose link is silent, before much is under way',
    promise: 'connection-backpressure',
    needs: needsLink,
    async run({ linked }) {
      const { here, there, link } = await linked();
      hear(there);
      link.freeze();
      await new EagerSender(here).untilStuck();
    },
  },
  {
    id: 'transport/half-open/loses-nothing-of-body',
    title: 'goes on with a body whose link was silent in the middle',
    promise,
    needs: needsLink,
    async run({ linked }) {
      const { here, there, link } = await linked();
      const size = 16 * MIB;
      here.send({ header: {}, body: new StreamedBody(size) });
      const reading = assertBody(await hear(there).next(), size);
      for (let n = 0; n < 3; n += 1) {
        link.freeze();
        await settles(reading, () => 0);
        link.thaw();
      }
      await reading;
    },
  },
  {
    id: 'transport/half-open/listener-goes-on',
    title: 'holds up no other connection of the listener, nor those that come',
    promise,
    needs: needsLink,
    async run({ listen, linked, connected }) {
      const listener = await listen();
      const other = await connected(listener);
      const silent = await linked(listener);
      silent.link.freeze();
      silent.here.send({ header: {}, body: new StreamedBody(64 * MIB) });
      await assertCarries(other);
      await assertCarries(await connected(listener));
    },
  },
  {
    id: 'transport/half-open/cut-while-silent',
    title: 'ends at both sides when a silent link turns out to be lost',
    promise,
    needs: needsLink,
    async run({ linked }) {
      const { here, there, link } = await linked();
      const ended = [hear(here).completed, hear(there).completed];
      link.freeze();
      here.send({ header: {} });
      link.cut();
      await Promise.all(ended);
    },
  },
  {
    id: 'transport/half-open/dials-of-others',
    title: 'connects others while a dial waits for a silent listener',
    promise,
    needs: needsLink,
    async run({ listen, link, dialling, connected }) {
      const listener = await listen();
      const way = await link(listener);
      way.freeze();
      const controller = new AbortController();
      const waiting = outcomeOf(dialling.dial(way.address, { signal: controller.signal }));
      await assertCarries(await connected(await listen()));
      controller.abort(new Error('enough'));
      const outcome = await waiting;
      if (outcome instanceof Error) assert.equal(outcome, controller.signal.reason);
    },
  },
];
