import assert from 'node:assert/strict';
import {
  hearMessages,
  messageOf,
  type MessagePipeCase,
  numbered,
  numbersIn,
  sendAll,
} from './message-pipe-subject.js';
import { upTo } from './sample-bodies.js';
import { turns } from './turns.js';

const promise = 'pipe-memory';
const COUNT = 200;
const LENGTH = 1_000;

/** Whose the bytes are. */
export const pipeMemoryCases: readonly MessagePipeCase[] = [
  {
    id: 'message-pipe/memory/leaves-bytes-as-they-are',
    title: 'changes nothing in the bytes that it is given, nor takes their memory away',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      for (const length of [10, 1_000, largest]) {
        const message = messageOf(length);
        here.send(message);
        await toThere.next();
        assert.deepEqual(Buffer.from(message), Buffer.from(messageOf(length)));
      }
    },
  },
  {
    id: 'message-pipe/memory/released-when-unused',
    title: 'has no more use for bytes that it released: they may be overwritten at once',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      for (let n = 0; n < COUNT; n += 1) {
        const message = messageOf(n % 10 === 0 ? largest : LENGTH, n);
        if (!here.send(message, () => message.fill(0xee))) await here.drained();
      }
      const came = await toThere.count(COUNT);
      for (const [n, message] of came.entries())
        assert.ok(Buffer.from(messageOf(message.byteLength, n)).equals(message), `message ${n} was changed`);
    },
  },
  {
    id: 'message-pipe/memory/released-once',
    title: 'releases bytes at most once, also when it closes with them',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const released = upTo(COUNT).map(() => 0);
      const toThere = hearMessages(there);
      for (let n = 0; n < COUNT; n += 1)
        here.send(messageOf(LENGTH), () => (released[n] = (released[n] ?? 0) + 1));
      here.close();
      await Promise.all([here.closed, there.closed, toThere.completed]);
      await turns(5);
      assert.ok(
        released.every((times) => times <= 1),
        'bytes were released more than once',
      );
    },
  },
  {
    id: 'message-pipe/memory/belongs-to-subscriber',
    title: 'does not touch what it delivered again',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      await sendAll(
        here,
        upTo(COUNT).map((n) => messageOf(LENGTH, n)),
      );
      await toThere.count(COUNT);
      await sendAll(
        here,
        upTo(COUNT).map((n) => messageOf(LENGTH, n + COUNT)),
      );
      const came = await toThere.count(2 * COUNT);
      for (const [n, message] of came.entries())
        assert.ok(
          Buffer.from(messageOf(LENGTH, n)).equals(message),
          `message ${n} was changed after it came`,
        );
    },
  },
  {
    id: 'message-pipe/memory/no-two-share',
    title: 'delivers no two messages in the same bytes',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      await sendAll(
        here,
        upTo(COUNT).map((n) => messageOf(LENGTH, n)),
      );
      const came = await toThere.count(COUNT);
      for (const [n, message] of came.entries()) {
        assert.ok(
          Buffer.from(messageOf(LENGTH, n)).equals(message),
          `message ${n} was changed with another one`,
        );
        message.fill(0xee);
      }
    },
  },
  {
    id: 'message-pipe/memory/recycled',
    title: 'may be given messages back, as other views of their memory too, and goes on',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      let heard = 0;
      const done = new Promise<void>((resolve, reject) => {
        there.messages$.subscribe((message) => {
          const wanted = messageOf(message.byteLength, heard);
          if (!Buffer.from(wanted).equals(message))
            reject(new assert.AssertionError({ message: `message ${heard}` }));
          heard += 1;
          const { buffer, byteOffset, byteLength } = message;
          there.recycle?.(heard % 2 === 0 ? message : new Uint8Array(buffer, byteOffset, byteLength));
          if (heard === COUNT) resolve();
        });
      });
      for (let n = 0; n < COUNT; n += 1)
        if (!here.send(messageOf(n % 3 === 0 ? LENGTH : largest, n))) await here.drained();
      await done;
    },
  },
  {
    id: 'message-pipe/memory/recycled-after-close',
    title: 'may be given messages back after it has closed',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      await sendAll(
        here,
        upTo(10).map((n) => numbered(n)),
      );
      here.close();
      await Promise.all([toThere.completed, there.closed]);
      for (const message of toThere.all) there.recycle?.(message);
      assert.equal(numbersIn(toThere.all).length, 10);
    },
  },
];
