import assert from 'node:assert/strict';
import type { MessagePipe } from '../ports/message-pipe.js';
import { assertRejects, assertThrows } from './assert-code.js';
import {
  hearMessages,
  type MessagePipeCase,
  type MessagePipeGiven,
  needsCut,
  numbered,
  numbersIn,
  sendAll,
} from './message-pipe-subject.js';
import { upTo } from './sample-bodies.js';
import { turns } from './turns.js';

const promise = 'pipe-close';
const LOSS = 'pipe-loss';

/** Does something with two pipes: once the end that was made first closes, once the other. */
async function fromBothEnds(
  { open }: MessagePipeGiven,
  act: (closing: MessagePipe, other: MessagePipe) => Promise<void>,
): Promise<void> {
  const [one, two] = [await open(), await open()];
  await act(one.here, one.there);
  await act(two.there, two.here);
}

/** Sends to a peer in a pause until there is no room. */
export function fill(pipe: MessagePipe, length: number): void {
  for (let n = 0; n < 100_000_000 / length && pipe.send(numbered(n, length)); n += 1);
}

/** Closing in good order. */
export const pipeCloseCases: readonly MessagePipeCase[] = [
  {
    id: 'message-pipe/close/delivers-before',
    title: 'delivers everything that was sent before it was closed, to the last message',
    promise,
    async run({ open }) {
      for (const count of [1, 2, 500]) {
        const { here, there } = await open();
        const toThere = hearMessages(there);
        for (let n = 0; n < count; n += 1) here.send(numbered(n));
        here.close();
        await toThere.completed;
        assert.deepEqual(numbersIn(toThere.all), upTo(count));
      }
    },
  },
  {
    id: 'message-pipe/close/delivers-long-before',
    title: 'delivers long messages that were under way when it was closed',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      for (let n = 0; n < 40; n += 1) here.send(numbered(n, largest));
      here.close('done');
      await toThere.completed;
      assert.deepEqual(numbersIn(toThere.all), upTo(40));
      assert.ok(
        toThere.all.every(({ byteLength }) => byteLength === largest),
        'a message was cut',
      );
    },
  },
  {
    id: 'message-pipe/close/tells-both-ends',
    title: 'tells both ends that it is closed, and that nothing broke, whichever closed it',
    promise,
    run: (given) =>
      fromBothEnds(given, async (closing, other) => {
        const heard = [hearMessages(closing), hearMessages(other)];
        closing.close('done');
        assert.deepEqual(await Promise.all([closing.closed, other.closed]), [undefined, undefined]);
        for (const { completed } of heard) await completed;
      }),
  },
  {
    id: 'message-pipe/close/refuses-to-send',
    title: 'refuses to send and to drain once it is closed, by either side',
    promise,
    run: (given) =>
      fromBothEnds(given, async (closing, other) => {
        const { completed } = hearMessages(other);
        closing.close();
        await Promise.all([closing.closed, other.closed, completed]);
        for (const end of [closing, other]) {
          assertThrows(() => end.send(numbered(0)), 'TRANSPORT_CLOSED');
          await assertRejects(end.drained(), 'TRANSPORT_CLOSED');
        }
      }),
  },
  {
    id: 'message-pipe/close/refuses-at-once',
    title: 'refuses to send from the moment that `close` was called',
    promise,
    async run({ open }) {
      const { here } = await open();
      here.close();
      assertThrows(() => here.send(numbered(0)), 'TRANSPORT_CLOSED');
      await assertRejects(here.drained(), 'TRANSPORT_CLOSED');
    },
  },
  {
    id: 'message-pipe/close/rejects-waiting',
    title: 'rejects those who wait for room when either side closes it',
    promise,
    run: (given) =>
      fromBothEnds(given, async (closing, other) => {
        other.pause();
        hearMessages(other);
        fill(closing, given.largest);
        const waiting = assertRejects(closing.drained(), 'TRANSPORT_CLOSED');
        closing.close();
        other.resume();
        await waiting;
      }),
  },
  {
    id: 'message-pipe/close/rejects-waiting-for-peer',
    title: 'rejects those who wait for a peer that closes',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      there.pause();
      hearMessages(there);
      fill(here, largest);
      const waiting = assertRejects(here.drained(), 'TRANSPORT_CLOSED');
      there.close();
      await waiting;
    },
  },
  {
    id: 'message-pipe/close/twice',
    title: 'does nothing when it is closed again, by either side',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const heard = [hearMessages(here), hearMessages(there)];
      here.close('one');
      here.close('two');
      there.close('three');
      await Promise.all([here.closed, there.closed]);
      for (const end of [here, there]) end.close('four');
      for (const { completed } of heard) await completed;
    },
  },
  {
    id: 'message-pipe/close/any-reason',
    title: 'closes for any reason of up to 100 characters',
    promise,
    async run({ open }) {
      for (const reason of ['', 'r'.repeat(100), '漢'.repeat(100), '🎈'.repeat(50), 'two\nlines\u0000']) {
        const { here, there } = await open();
        const { completed } = hearMessages(there);
        here.close(reason);
        assert.equal(await there.closed, undefined);
        await completed;
      }
    },
  },
  {
    id: 'message-pipe/close/completes-late-subscriber',
    title: 'gives a late subscriber what came before the close, then completes',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      for (let n = 0; n < 5; n += 1) here.send(numbered(n));
      here.close();
      const toThere = hearMessages(there);
      await toThere.completed;
      assert.deepEqual(numbersIn(toThere.all), upTo(5));
      await there.closed;
    },
  },
  {
    id: 'message-pipe/close/completes-after-pause',
    title: 'completes only after a pause in which it was closed, behind what came before',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      there.pause();
      for (let n = 0; n < 20; n += 1) here.send(numbered(n));
      here.close();
      await turns(20);
      assert.ok(!toThere.isComplete, 'it completed in a pause');
      there.resume();
      await toThere.completed;
      assert.deepEqual(numbersIn(toThere.all), upTo(20));
    },
  },
  {
    id: 'message-pipe/close/nothing-behind-the-end',
    title: 'delivers nothing behind the end, of what both sides send as they close',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const ends = [here, there];
      const heard = ends.map((end) => hearMessages(end));
      for (let n = 0; n < 50; n += 1) for (const end of ends) end.send(numbered(n));
      for (const end of ends) end.close();
      for (const each of heard) {
        await each.completed;
        assert.deepEqual(numbersIn(each.all), upTo(each.all.length));
      }
    },
  },
];

/** What is between the ends breaks. */
export const pipeLossCases: readonly MessagePipeCase[] = [
  {
    id: 'message-pipe/loss/tells-what-broke',
    title: 'tells both ends of a loss by an error, and completes what comes in, without one',
    promise: LOSS,
    needs: needsCut,
    async run({ open, cut }) {
      const pipe = await open();
      const ends = [pipe.here, pipe.there];
      const heard = ends.map((end) => hearMessages(end));
      pipe.here.send(numbered(0));
      await heard[1]?.next();
      await cut(pipe);
      for (const end of ends)
        assert.ok((await end.closed) instanceof Error, '`closed` does not say what broke');
      for (const { completed } of heard) await completed;
    },
  },
  {
    id: 'message-pipe/loss/refuses-to-send',
    title: 'refuses to send and to drain once it is lost, and can be closed',
    promise: LOSS,
    needs: needsCut,
    async run({ open, cut }) {
      const pipe = await open();
      const ends = [pipe.here, pipe.there];
      for (const end of ends) hearMessages(end);
      await cut(pipe);
      for (const end of ends) {
        await end.closed;
        assertThrows(() => end.send(numbered(0)), 'TRANSPORT_CLOSED');
        await assertRejects(end.drained(), 'TRANSPORT_CLOSED');
        end.close();
        assert.ok((await end.closed) instanceof Error);
      }
    },
  },
  {
    id: 'message-pipe/loss/rejects-waiting',
    title: 'rejects those who wait for room when it is lost',
    promise: LOSS,
    needs: needsCut,
    async run({ open, cut, largest }) {
      const pipe = await open();
      hearMessages(pipe.there);
      pipe.there.pause();
      fill(pipe.here, largest);
      const waiting = assertRejects(pipe.here.drained(), 'TRANSPORT_CLOSED');
      await cut(pipe);
      await waiting;
    },
  },
  {
    id: 'message-pipe/loss/no-gaps',
    title: 'has delivered, when it is lost, what was sent up to some point, without gaps',
    promise: LOSS,
    needs: needsCut,
    async run({ open, cut, largest }) {
      for (const count of [1, 50, 300]) {
        const pipe = await open();
        const toThere = hearMessages(pipe.there);
        const messages = upTo(5_000).map((n) => numbered(n, 4 + ((n * 97) % Math.min(largest, 5_000))));
        const sending = sendAll(pipe.here, messages).catch(() => undefined);
        await toThere.count(count);
        await cut(pipe);
        await Promise.all([sending, toThere.completed]);
        assert.deepEqual(numbersIn(toThere.all), upTo(toThere.all.length));
      }
    },
  },
];
