import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import type { Connection } from '../ports/transport.js';
import { Heard } from './heard.js';
import { assertCarries, hear, readerOf, StreamedBody } from './sample-bodies.js';
import { needsLink, type TransportCase } from './transport-subject.js';
import { turns } from './turns.js';

const promise = 'transport-cancel';

class Reason extends Error {
  override readonly name = 'Reason';
}

/** What came of a dial: the connection, or why there is none. */
export function outcomeOf(dialled: Promise<Connection>): Promise<Connection | Error> {
  return dialled.catch((reason: Error) => reason);
}

/** Giving up what is under way. */
export const cancelCases: readonly TransportCase[] = [
  {
    id: 'transport/cancel/aborted-before',
    title: 'does not dial when its signal has aborted before, and rejects with the reason',
    promise,
    async run({ listen, dialling, dial }) {
      const listener = await listen();
      const came = new Heard(listener.connections$);
      const reason = new Reason('before');
      const signal = AbortSignal.abort(reason);
      assert.equal(await outcomeOf(dialling.dial(listener.address, { signal })), reason);
      (await dial(listener.address)).send({ header: { n: 1 } });
      assert.equal((await hear(await came.next()).next()).header['n'], 1);
      assert.equal(came.all.length, 1);
    },
  },
  {
    id: 'transport/cancel/aborted-before-at-nobody',
    title: 'rejects with the reason of its signal rather than with what else would have gone wrong',
    promise,
    async run({ nowhere, dialling }) {
      const address = await nowhere();
      const reason = new Reason('before');
      assert.equal(await outcomeOf(dialling.dial(address, { signal: AbortSignal.abort(reason) })), reason);
    },
  },
  {
    id: 'transport/cancel/aborted-while-silent',
    title:
      'rejects with the reason at once when its signal aborts while nobody answers, unless it needs no answer',
    promise,
    needs: needsLink,
    async run({ listen, link, dialling }) {
      const way = await link(await listen());
      way.freeze();
      const controller = new AbortController();
      const dialled = outcomeOf(dialling.dial(way.address, { signal: controller.signal }));
      await turns(10);
      const reason = new Reason('while');
      controller.abort(reason);
      const outcome = await dialled;
      if (outcome instanceof Error) assert.equal(outcome, reason);
    },
  },
  {
    id: 'transport/cancel/aborted-at-every-turn',
    title: 'rejects with the reason, or gives a connection that works, whenever its signal aborts',
    promise,
    async run({ listen, dialling, dial }) {
      const listener = await listen();
      const came = new Heard(listener.connections$);
      for (let after = 0; after < 30; after += 1) {
        const controller = new AbortController();
        const reason = new Reason(`after ${after} turns`);
        const dialled = outcomeOf(dialling.dial(listener.address, { signal: controller.signal }));
        await turns(after);
        controller.abort(reason);
        const outcome = await dialled;
        if (outcome instanceof Error) {
          assert.equal(outcome, reason);
          continue;
        }
        outcome.send({ header: { after } });
        await outcome.close();
      }
      // Behind all of them: whoever was given up has gone by now, or goes.
      await (await dial(listener.address)).close();
      for (const connection of [...came.all]) await hear(connection).completed;
    },
  },
  {
    id: 'transport/cancel/aborted-after',
    title: 'keeps a connection whose signal aborts after it was made',
    promise,
    async run({ listen, accept, dial }) {
      const listener = await listen();
      const controller = new AbortController();
      const here = await dial(listener.address, controller.signal);
      const there = await accept(listener);
      controller.abort(new Reason('after'));
      await assertCarries({ here, there });
    },
  },
  {
    id: 'transport/cancel/forgets-signal',
    title: 'leaves no listener on a signal, whether the dial came to something or not',
    promise: 'transport-leaves-nothing',
    async run({ listen, nowhere, dial, dialling }) {
      const listener = await listen();
      const { signal } = new AbortController();
      await dial(listener.address, signal);
      assert.equal(getEventListeners(signal, 'abort').length, 0, 'after a dial that came to something');
      const address = await nowhere();
      await outcomeOf(dialling.dial(address, { signal }));
      assert.equal(getEventListeners(signal, 'abort').length, 0, 'after a dial that came to nothing');
    },
  },
  {
    id: 'transport/cancel/forgets-signal-of-connection',
    title: 'leaves no listener on the signal of a dial when its connection ends',
    promise: 'transport-leaves-nothing',
    async run({ listen, dial, accept }) {
      const listener = await listen();
      const { signal } = new AbortController();
      for (let n = 0; n < 12; n += 1) {
        const here = await dial(listener.address, signal);
        const { completed } = hear(await accept(listener));
        await here.close();
        await completed;
      }
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    },
  },
  {
    id: 'transport/cancel/others-go-on',
    title: 'goes on with other dials and connections when one dial is cancelled',
    promise,
    async run({ listen, connected, dialling }) {
      const listener = await listen();
      const before = await connected(listener);
      const controller = new AbortController();
      const given = outcomeOf(dialling.dial((await listen()).address, { signal: controller.signal }));
      const during = connected(listener);
      controller.abort(new Reason('only this one'));
      const outcome = await given;
      if (!(outcome instanceof Error)) await outcome.close();
      await assertCarries(await during);
      await assertCarries(before);
    },
  },
  {
    id: 'transport/cancel/body-in-middle',
    title: 'lets a reader give up a body at any chunk, again and again, and go on',
    promise: 'connection-bodies',
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      for (let chunks = 0; chunks < 12; chunks += 1) {
        here.send({ header: { chunks }, body: new StreamedBody(8 * 1024 * 1024) });
        const envelope = await toThere.next();
        assert.equal(envelope.header['chunks'], chunks);
        const reader = readerOf(envelope);
        for (let read = 0; read < chunks; read += 1) await reader.next();
        await reader.return?.();
        assert.equal((await reader.next()).done, true);
      }
    },
  },
];
