import assert from 'node:assert/strict';
import type { MessagePipe } from '../ports/message-pipe.js';
import { hearMessages, type MessagePipeCase, numbered, numbersIn, sendAll } from './message-pipe-subject.js';
import { upTo } from './sample-bodies.js';
import { settles, turns } from './turns.js';

const promise = 'pipe-backpressure';
/** No pipe may have that much under way. */
const MOST_UNDER_WAY = 32 * 1024 * 1024;
const LENGTH = 1_000;

/** Sends until it is told to wait for good. */
class EagerWriter {
  sent = 0;
  readonly finished: Promise<void>;

  constructor(pipe: MessagePipe, length: number) {
    this.finished = this.#write(pipe, length);
    // Whoever waits for it is told.
    this.finished.catch(() => undefined);
  }

  async #write(pipe: MessagePipe, length: number): Promise<void> {
    for (const most = MOST_UNDER_WAY / length; this.sent < most;) {
      this.sent += 1;
      if (!pipe.send(numbered(this.sent - 1, length))) await pipe.drained();
    }
  }

  /** @throws `AssertionError` when it is never told to wait. */
  async untilStuck(): Promise<void> {
    const isDone = await settles(this.finished, () => this.sent);
    assert.ok(!isDone, `${MOST_UNDER_WAY} bytes were sent, and the sender was never told to wait`);
  }
}

/** Who waits for whom. */
export const pipeFlowCases: readonly MessagePipeCase[] = [
  {
    id: 'message-pipe/backpressure/has-room-at-first',
    title: 'has room at first, and drains at once',
    promise,
    async run({ open }) {
      for (const end of Object.values(await open()).filter(isPipe)) {
        await end.drained();
        assert.equal(end.send(numbered(0)), true);
      }
    },
  },
  {
    id: 'message-pipe/backpressure/says-full',
    title: 'tells a sender to wait whose peer asked for a pause, before much is under way',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      hearMessages(there);
      there.pause();
      await new EagerWriter(here, largest).untilStuck();
    },
  },
  {
    id: 'message-pipe/backpressure/says-full-of-short-messages',
    title: 'counts short messages as well',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      hearMessages(there);
      there.pause();
      await new EagerWriter(here, LENGTH).untilStuck();
    },
  },
  {
    id: 'message-pipe/backpressure/drains',
    title: 'lets a sender go on when its peer ends the pause, and delivers all of it in order',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      there.pause();
      const writer = new EagerWriter(here, largest);
      await writer.untilStuck();
      there.resume();
      await writer.finished;
      assert.deepEqual(numbersIn(await toThere.count(writer.sent)), upTo(writer.sent));
      await here.drained();
    },
  },
  {
    id: 'message-pipe/backpressure/takes-one-more',
    title: 'takes one more message at once after it said that there is no room',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      there.pause();
      let n = 0;
      for (const most = MOST_UNDER_WAY / largest; n < most && here.send(numbered(n, largest)); n += 1);
      here.send(numbered(n + 1));
      there.resume();
      assert.deepEqual(numbersIn(await toThere.count(n + 2)), upTo(n + 2));
    },
  },
  {
    id: 'message-pipe/backpressure/wakes-all',
    title: 'tells everybody who waits for room',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      hearMessages(there);
      there.pause();
      await new EagerWriter(here, largest).untilStuck();
      const waiting = Array.from({ length: 5 }, () => here.drained());
      there.resume();
      await Promise.all(waiting);
    },
  },
  {
    id: 'message-pipe/backpressure/pause-holds-back',
    title: 'delivers little in a pause, however much is sent',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      there.pause();
      const writer = new EagerWriter(here, largest);
      await writer.untilStuck();
      const heard = toThere.all.length * largest;
      assert.ok(heard <= 4 * 1024 * 1024, `${heard} bytes came in a pause`);
    },
  },
  {
    id: 'message-pipe/backpressure/pause-before-subscriber',
    title: 'keeps what comes in a pause that began before anybody subscribed',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      there.pause();
      await sendAll(
        here,
        upTo(100).map((n) => numbered(n)),
      );
      const toThere = hearMessages(there);
      there.resume();
      assert.deepEqual(numbersIn(await toThere.count(100)), upTo(100));
    },
  },
  {
    id: 'message-pipe/backpressure/pause-twice',
    title: 'ends a pause that was asked for twice at the first `resume`, and needs none to resume',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      there.resume();
      there.pause();
      there.pause();
      here.send(numbered(0));
      await turns(3);
      there.resume();
      there.resume();
      here.send(numbered(1));
      assert.deepEqual(numbersIn(await toThere.count(2)), [0, 1]);
    },
  },
  {
    id: 'message-pipe/backpressure/pause-from-within',
    title: 'may be paused by whoever hears a message, and resumed later',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const heard: Uint8Array[] = [];
      const done = new Promise<void>((resolve) => {
        there.messages$.subscribe((message) => {
          heard.push(message);
          there.pause();
          void turns(1).then(() => there.resume());
          if (heard.length === 100) resolve();
        });
      });
      await sendAll(
        here,
        upTo(100).map((n) => numbered(n, LENGTH)),
      );
      await done;
      assert.deepEqual(numbersIn(heard), upTo(100));
    },
  },
  {
    id: 'message-pipe/backpressure/pauses-under-load',
    title: 'loses and doubles nothing when it is paused and resumed again and again',
    promise,
    async run({ open, largest, signal }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      const sending = sendAll(
        here,
        upTo(500).map((n) => numbered(n, n % 5 === 0 ? largest : LENGTH)),
      );
      for (let n = 0; toThere.all.length < 500 && !signal.aborted; n += 1) {
        there.pause();
        await turns(1 + (n % 3));
        there.resume();
        await turns(1);
      }
      await sending;
      assert.deepEqual(numbersIn(toThere.all), upTo(500));
    },
  },
  {
    id: 'message-pipe/backpressure/other-way-goes-on',
    title: 'lets one direction go on while the other is full',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      hearMessages(there);
      there.pause();
      await new EagerWriter(here, largest).untilStuck();
      const toHere = hearMessages(here);
      await sendAll(
        there,
        upTo(500).map((n) => numbered(n, LENGTH)),
      );
      assert.deepEqual(numbersIn(await toHere.count(500)), upTo(500));
    },
  },
];

function isPipe(value: unknown): value is MessagePipe {
  return typeof value === 'object' && value !== null && 'messages$' in value;
}
