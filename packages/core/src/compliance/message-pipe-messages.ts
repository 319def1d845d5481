import assert from 'node:assert/strict';
import { PatternCheck, patternAt } from './byte-pattern.js';
import {
  hearMessages,
  messageOf,
  type MessagePipeCase,
  numbered,
  numbersIn,
  sendAll,
} from './message-pipe-subject.js';
import { upTo } from './sample-bodies.js';
import { turn } from './turns.js';

const promise = 'pipe-messages';
const MIB = 1024 * 1024;

type Given = Parameters<MessagePipeCase['run']>[0];

/** Sends messages of these lengths and compares each with what comes. */
async function carry({ open, largest }: Given, lengths: readonly number[]): Promise<void> {
  const { here, there } = await open();
  const toThere = hearMessages(there);
  for (const length of lengths.filter((each) => each <= largest)) {
    if (!here.send(messageOf(length, length))) await here.drained();
    assert.deepEqual(Buffer.from(await toThere.next()), Buffer.from(messageOf(length, length)));
  }
}

/** A pipe that is handed over. */
export const pipeLifecycleCases: readonly MessagePipeCase[] = [
  {
    id: 'message-pipe/lifecycle/declares-itself',
    title:
      'says the name of its peer, and the capabilities by which it is tested, of a kibibyte a message at least',
    promise,
    async run({ open, capabilities }) {
      const { here, there } = await open();
      for (const end of [here, there]) {
        assert.ok(end.peer.length > 0, 'the peer has no name');
        assert.deepEqual({ ...end.capabilities }, { ...capabilities });
      }
      assert.ok(capabilities.largestMessageBytes >= 1_024, 'largestMessageBytes');
    },
  },
  {
    id: 'message-pipe/lifecycle/is-open',
    title: 'is open when it is handed over, both ways',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      here.send(numbered(1));
      there.send(numbered(2));
      assert.deepEqual(
        numbersIn([await hearMessages(there).next(), await hearMessages(here).next()]),
        [1, 2],
      );
    },
  },
  {
    id: 'message-pipe/lifecycle/pipes-apart',
    title: 'keeps several pipes apart',
    promise,
    async run({ open }) {
      const pipes = await Promise.all([open(), open(), open()]);
      const heard = pipes.map(({ there }) => hearMessages(there));
      for (const [n, { here }] of pipes.entries())
        for (let part = 0; part < 20; part += 1) here.send(numbered(n));
      for (const [n, each] of heard.entries())
        assert.deepEqual(
          numbersIn(await each.count(20)),
          Array.from({ length: 20 }, () => n),
        );
    },
  },
  {
    id: 'message-pipe/lifecycle/keeps-for-subscriber',
    title: 'keeps what came before anybody subscribed, in order',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      for (let n = 0; n < 50; n += 1) here.send(numbered(n));
      // An answer to what was sent behind them.
      const toHere = hearMessages(here);
      there.send(numbered(0));
      await toHere.next();
      const toThere = hearMessages(there);
      for (let n = 50; n < 100; n += 1) here.send(numbered(n));
      assert.deepEqual(numbersIn(await toThere.count(100)), upTo(100));
    },
  },
];

/** Whole messages, byte for byte. */
export const pipeFramingCases: readonly MessagePipeCase[] = [
  {
    id: 'message-pipe/framing/one-byte',
    title: 'carries messages of one byte, whichever it is',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      await sendAll(
        here,
        upTo(256).map((byte) => Uint8Array.of(byte)),
      );
      assert.deepEqual(
        (await toThere.count(256)).map((message) => [...message]),
        upTo(256).map((byte) => [byte]),
      );
    },
  },
  {
    id: 'message-pipe/framing/small',
    title: 'carries messages of each length up to 300 bytes',
    promise,
    run: (given) =>
      carry(
        given,
        upTo(300).map((length) => length + 1),
      ),
  },
  {
    id: 'message-pipe/framing/around-lengths',
    title: 'carries messages around the lengths at which encodings of lengths grow',
    promise,
    run: (given) =>
      carry(given, [1_023, 1_024, 16_383, 16_384, 32_767, 32_768, 65_535, 65_536, 65_537, 131_072]),
  },
  {
    id: 'message-pipe/framing/largest',
    title: 'carries its longest message, and those a little shorter',
    promise,
    run: (given) =>
      carry(
        given,
        upTo(20).map((less) => given.largest - less),
      ),
  },
  {
    id: 'message-pipe/framing/views',
    title: 'sends of a view its own bytes, and none of the memory around it',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const memory = messageOf(10_000);
      here.send(memory.subarray(100, 200));
      here.send(memory.subarray(9_999));
      here.send(Buffer.from('a buffer of a pool'));
      const came = await hearMessages(there).count(3);
      assert.deepEqual(
        came.map((message) => Buffer.from(message)),
        [
          Buffer.from(memory.subarray(100, 200)),
          Buffer.from(memory.subarray(9_999)),
          Buffer.from('a buffer of a pool'),
        ],
      );
      for (const message of came) assert.ok(message instanceof Uint8Array, 'a message is no Uint8Array');
    },
  },
  {
    id: 'message-pipe/framing/boundaries',
    title: 'neither joins nor divides messages of one turn, whatever their lengths',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      const lengths = upTo(500).map((n) => 1 + ((n * n * 31) % Math.min(largest, 9_000)));
      const toThere = hearMessages(there);
      for (const [n, length] of lengths.entries()) here.send(messageOf(length, n));
      const came = await toThere.count(500);
      for (const [n, length] of lengths.entries())
        assert.ok(
          came[n] && Buffer.from(messageOf(length, n)).equals(came[n]),
          `message ${n} of ${length} bytes`,
        );
    },
  },
  {
    id: 'message-pipe/framing/256-mib',
    title: 'carries 256 MiB in its longest messages, byte for byte',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      const total = 256 * MIB;
      const check = new PatternCheck('what goes through the pipe');
      const done = new Promise<void>((resolve, reject) => {
        there.messages$.subscribe((message) => {
          try {
            check.add(message);
          } catch (error) {
            return reject(error as Error);
          }
          there.recycle?.(message);
          if (check.byteLength >= total) resolve();
        });
      });
      for (let at = 0; at < total; at += largest)
        if (!here.send(patternAt(at, Math.min(largest, total - at))))
          await Promise.race([here.drained(), done]);
      await done;
      check.end(total);
    },
  },
];

/** Everything once, in the order of sending. */
export const pipeOrderingCases: readonly MessagePipeCase[] = [
  {
    id: 'message-pipe/ordering/keeps-order',
    title: 'delivers ten thousand messages in order, each once, and nothing more',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      await sendAll(
        here,
        upTo(10_000).map((n) => numbered(n)),
      );
      here.close();
      await toThere.completed;
      assert.deepEqual(numbersIn(toThere.all), upTo(10_000));
    },
  },
  {
    id: 'message-pipe/ordering/keeps-order-both-ways',
    title: 'keeps the order of each direction while both send',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      const ends = [here, there];
      const heard = ends.map((end) => hearMessages(end));
      const messages = upTo(1_000).map((n) => numbered(n, 4 + ((n * 977) % (Math.min(largest, 60_000) - 4))));
      await Promise.all(ends.map((end) => sendAll(end, messages)));
      for (const each of heard) assert.deepEqual(numbersIn(await each.count(1_000)), upTo(1_000));
    },
  },
  {
    id: 'message-pipe/ordering/long-and-short',
    title: 'lets no short message overtake a long one',
    promise,
    async run({ open, largest }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      await sendAll(
        here,
        upTo(300).map((n) => numbered(n, n % 3 === 0 ? largest : 4 + n)),
      );
      assert.deepEqual(numbersIn(await toThere.count(300)), upTo(300));
    },
  },
  {
    id: 'message-pipe/ordering/turn-by-turn',
    title: 'delivers each message without another one behind it',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      for (let n = 0; n < 200; n += 1) {
        here.send(numbered(n));
        if (n % 2 === 0) await turn();
        await toThere.count(n + 1);
      }
      assert.deepEqual(numbersIn(toThere.all), upTo(200));
    },
  },
  {
    id: 'message-pipe/ordering/sends-from-within',
    title: 'keeps order when messages are sent by what hears others',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      there.messages$.subscribe((message) => void there.send(message.slice()));
      const echoed = hearMessages(here);
      await sendAll(
        here,
        upTo(1_000).map((n) => numbered(n)),
      );
      assert.deepEqual(numbersIn(await echoed.count(1_000)), upTo(1_000));
    },
  },
  {
    id: 'message-pipe/ordering/not-in-turn-of-sender',
    title: 'delivers nothing within the call that sends it',
    promise,
    async run({ open }) {
      const { here, there } = await open();
      const toThere = hearMessages(there);
      here.send(numbered(0));
      await toThere.next();
      here.send(numbered(1));
      assert.equal(toThere.all.length, 1);
      await toThere.next();
    },
  },
];
