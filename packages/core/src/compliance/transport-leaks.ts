import assert from 'node:assert/strict';
import process from 'node:process';
import { assertRejects } from './assert-code.js';
import { ResourceWatch } from './resource-watch.js';
import { assertBody, assertCarries, hear, readerOf, StreamedBody, fill } from './sample-bodies.js';
import { outcomeOf } from './transport-cancel.js';
import { needsLink, type TransportCase, type TransportGiven } from './transport-subject.js';
import { turns } from './turns.js';

const promise = 'transport-leaves-nothing';

/** Fails when handles or timers of an action are open after it. */
async function assertLeavesNothing({ signal }: TransportGiven, action: () => Promise<void>): Promise<void> {
  const watch = new ResourceWatch();
  await watch.during(async () => {
    await action();
    assert.deepEqual(await watch.open(), [], 'handles and timers that are still open');
  }, signal);
}

/** One connection from beginning to end, with something carried each way. */
async function visit(
  { connected }: TransportGiven,
  listener?: Parameters<TransportGiven['connected']>[0],
): Promise<void> {
  const { here, there } = await connected(listener);
  const heard = [hear(here), hear(there)] as const;
  await assertCarries({ here, there }, [...heard]);
  here.send({ header: {}, body: new StreamedBody(400_000) });
  const [, withBody] = await heard[1].count(2);
  await assertBody(withBody ?? { header: {} }, 400_000);
  await here.close();
  await Promise.all(heard.map(({ completed }) => completed));
}

/** How many listeners the process has. */
function processListeners(): number {
  return process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0);
}

/** What is left behind. */
export const leakCases: readonly TransportCase[] = [
  {
    id: 'transport/leaks/closed',
    title: 'leaves no handle and no timer when connection and listener are closed',
    promise,
    run: (given) =>
      assertLeavesNothing(given, async () => {
        const listener = await given.listen();
        await visit(given, listener);
        await listener.close();
      }),
  },
  {
    id: 'transport/leaks/closed-with-listener',
    title: 'leaves no handle and no timer of connections that are closed with their listener',
    promise,
    run: (given) =>
      assertLeavesNothing(given, async () => {
        const { listen, connected } = given;
        const listener = await listen();
        const { here, there } = await connected(listener);
        const ended = [hear(here).completed, hear(there).completed];
        await listener.close();
        await Promise.all(ended);
      }),
  },
  {
    id: 'transport/leaks/one-after-the-other',
    title: 'keeps nothing of connections that have closed while their listener goes on',
    promise,
    async run(given) {
      const watch = new ResourceWatch();
      await watch.during(async () => {
        const listener = await given.listen();
        const before = await watch.open(Number.POSITIVE_INFINITY);
        for (let n = 0; n < 10; n += 1) await visit(given, listener);
        assert.deepEqual(await watch.open(before.length), before);
        await listener.close();
      }, given.signal);
    },
  },
  {
    id: 'transport/leaks/full',
    title: 'leaves nothing of a connection that was full, and of somebody who waited for room',
    promise,
    run: (given) =>
      assertLeavesNothing(given, async () => {
        const { listen, connected } = given;
        const { listener, here, there } = await connected(await listen());
        fill(here);
        const waiting = assertRejects(here.drained(), 'TRANSPORT_CLOSED');
        await Promise.all([here.close(), there.close(), waiting]);
        await listener.close();
      }),
  },
  {
    id: 'transport/leaks/body-given-up',
    title: 'leaves nothing of a body that was given up',
    promise,
    run: (given) =>
      assertLeavesNothing(given, async () => {
        const { listen, connected } = given;
        const { listener, here, there } = await connected(await listen());
        here.send({ header: {}, body: new StreamedBody(64 * 1024 * 1024) });
        const reader = readerOf(await hear(there).next());
        await reader.next();
        await reader.return?.();
        await here.close();
        await listener.close();
      }),
  },
  {
    id: 'transport/leaks/dialled-in-vain',
    title: 'leaves nothing of dials that came to nothing',
    promise,
    run: (given) =>
      assertLeavesNothing(given, async () => {
        const { listen, dialling } = given;
        const listener = await listen();
        const { address } = listener;
        await listener.close();
        for (let n = 0; n < 5; n += 1) await assertRejects(dialling.dial(address), 'TRANSPORT_UNREACHABLE');
      }),
  },
  {
    id: 'transport/leaks/listened-in-vain',
    title: 'leaves nothing of a listener that could not start',
    promise,
    run: (given) =>
      assertLeavesNothing(given, async () => {
        const { listen, listening } = given;
        const listener = await listen();
        await assertRejects(listening.listen(listener.address), 'TRANSPORT_ADDRESS_IN_USE');
        await listener.close();
      }),
  },
  {
    id: 'transport/leaks/dial-cancelled',
    title: 'leaves nothing of a dial that was cancelled while nobody answered',
    promise,
    needs: needsLink,
    run: (given) =>
      assertLeavesNothing(given, async () => {
        const { listen, link, dialling } = given;
        const listener = await listen();
        const way = await link(listener);
        way.freeze();
        const controller = new AbortController();
        const dialled = outcomeOf(dialling.dial(way.address, { signal: controller.signal }));
        await turns(10);
        controller.abort(new Error('enough'));
        const outcome = await dialled;
        await way.close();
        // Of a transport that needs no answer to connect.
        if (!(outcome instanceof Error)) await hear(outcome).completed;
        await listener.close();
      }),
  },
  {
    id: 'transport/leaks/crashed',
    title: 'leaves nothing of connections that were lost',
    promise,
    needs: needsLink,
    run: (given) =>
      assertLeavesNothing(given, async () => {
        const { linked } = given;
        const { listener, here, there, link } = await linked();
        const ended = [hear(here).completed, hear(there).completed];
        here.send({ header: {}, body: new StreamedBody(10_000_000) });
        link.cut();
        await Promise.all(ended);
        await link.close();
        await listener.close();
      }),
  },
  {
    id: 'transport/leaks/process-listeners',
    title: 'leaves no listener on the process',
    promise,
    async run(given) {
      const listener = await given.listen();
      await visit(given, listener);
      const before = processListeners();
      for (let n = 0; n < 3; n += 1) await visit(given, listener);
      assert.equal(processListeners(), before);
    },
  },
  {
    id: 'transport/leaks/no-warnings',
    title: 'gives Node no reason to warn of a leak, over thirty connections by one signal',
    promise,
    async run({ listen, dial, accept }) {
      const warnings: string[] = [];
      const warned = ({ name, message }: Error): void => {
        if (name === 'MaxListenersExceededWarning') warnings.push(message);
      };
      process.on('warning', warned);
      try {
        const listener = await listen();
        const { signal } = new AbortController();
        for (let n = 0; n < 30; n += 1) {
          const here = await dial(listener.address, signal);
          await assertCarries({ here, there: await accept(listener) });
        }
        await turns(5);
      } finally {
        process.off('warning', warned);
      }
      assert.deepEqual(warnings, []);
    },
  },
];
