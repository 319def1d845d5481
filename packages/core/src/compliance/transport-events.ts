import assert from 'node:assert/strict';
import { Heard } from './heard.js';
import { hear } from './sample-bodies.js';
import { fromBothEnds } from './transport-close.js';
import type { TransportCase } from './transport-subject.js';

const promise = 'connection-state';

/** What a connection tells of its state. */
export const eventCases: readonly TransportCase[] = [
  {
    id: 'transport/events/open-then-closed',
    title: 'tells `open`, then `closed`, each once, then completes, at both ends',
    promise,
    async run({ listen, connected }) {
      await fromBothEnds(await listen(), connected, async (closing, other) => {
        const states = [new Heard(closing.state$), new Heard(other.state$)];
        for (const { all } of states) assert.deepEqual(all, ['open']);
        hear(other);
        await closing.close();
        for (const { all, completed } of states) {
          await completed;
          assert.deepEqual(all, ['open', 'closed']);
        }
      });
    },
  },
  {
    id: 'transport/events/late-subscriber',
    title: 'tells a late subscriber `closed`, and completes',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const { completed } = hear(there);
      await here.close();
      await completed;
      for (const end of [here, there]) {
        const state = new Heard(end.state$);
        await state.completed;
        assert.deepEqual(state.all, ['closed']);
      }
    },
  },
  {
    id: 'transport/events/several-subscribers',
    title: 'tells its state to any number of subscribers, and no longer to those who left',
    promise,
    async run({ connected }) {
      const { here } = await connected();
      const left: unknown[] = [];
      const subscription = here.state$.subscribe((state) => left.push(state));
      const heard = [new Heard(here.state$), new Heard(here.state$)];
      subscription.unsubscribe();
      await here.close();
      for (const { all, completed } of heard) {
        await completed;
        assert.deepEqual(all, ['open', 'closed']);
      }
      assert.deepEqual(left, ['open']);
    },
  },
  {
    id: 'transport/events/closed-before-close-resolves',
    title: 'has told `closed` by the time that `close` resolves',
    promise,
    async run({ connected }) {
      const { here } = await connected();
      const { all } = new Heard(here.state$);
      await here.close();
      assert.deepEqual(all, ['open', 'closed']);
    },
  },
  {
    id: 'transport/events/no-subject',
    title: 'hands out nothing by which others could speak for it',
    promise,
    async run({ connected }) {
      const { listener, here, there } = await connected();
      for (const told of [here.state$, here.inbound$, there.state$, there.inbound$, listener.connections$]) {
        assert.ok(!('next' in told), 'an observable of it can be told things');
        const { source } = told as unknown as { readonly source?: object };
        assert.ok(
          source === undefined || !('next' in source),
          'the source of an observable of it can be told things',
        );
      }
    },
  },
];
