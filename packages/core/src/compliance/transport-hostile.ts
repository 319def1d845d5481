import assert from 'node:assert/strict';
import type { Connection, Envelope, Listener } from '../ports/transport.js';
import { patternOf } from './byte-pattern.js';
import { hear } from './sample-bodies.js';
import type { RawPeer } from './raw-peer.js';
import { needsRaw, type TransportCase, type TransportGiven } from './transport-subject.js';
import { turn, turns } from './turns.js';

const promise = 'transport-hostile';
const MIB = 1024 * 1024;

/** A listener that hears all who connect, and tells by what they say who is who. */
class Crowd {
  readonly listener: Listener;
  readonly #given: TransportGiven;
  readonly #said: string[] = [];
  readonly #envelopes: Envelope[] = [];
  readonly #speakers = new Map<string, (connection: Connection) => void>();

  constructor(listener: Listener, given: TransportGiven) {
    this.listener = listener;
    this.#given = given;
    listener.connections$.subscribe((connection) => {
      connection.inbound$.subscribe((envelope) => {
        this.#envelopes.push(envelope);
        this.#speakers.get(String(envelope.header['name']))?.(connection);
      });
    });
  }

  /** Somebody connects and is answered. @returns what has it asked and answered again. */
  async join(name: string): Promise<() => Promise<void>> {
    const here = await this.#given.dial(this.listener.address);
    const answers = hear(here);
    const ask = async (): Promise<void> => {
      const asked = new Promise<Connection>((resolve) => this.#speakers.set(name, resolve));
      this.#said.push(name);
      here.send({ header: { name } });
      (await asked).send({ header: { name } });
      assert.equal((await answers.next()).header['name'], name);
    };
    await ask();
    return ask;
  }

  /** Fails when anything was taken for an envelope that was not sent as one. */
  assertHeardNothingElse(): void {
    assert.deepEqual(
      this.#envelopes.map(({ header }) => header['name']),
      this.#said,
    );
  }
}

/**
 * Has raw peers do something to a listener. Fails unless the connection that is open goes on, others get in meanwhile and
 * later, and nothing that they say is taken for an envelope.
 * @param act - what they do; they are gone when it is over.
 */
async function amidst(
  given: TransportGiven,
  act: (enter: () => Promise<RawPeer>, opening: Uint8Array) => Promise<void>,
): Promise<void> {
  const listener = await given.listen();
  const crowd = new Crowd(listener, given);
  const before = await crowd.join('before');
  const peers: RawPeer[] = [];
  const enter = async (): Promise<RawPeer> => {
    const peer = await given.raw(listener);
    peers.push(peer);
    return peer;
  };
  await act(enter, given.opening(listener));
  await turns(10);
  const during = await crowd.join('during');
  await before();
  for (const peer of peers) peer.destroy();
  await Promise.all(peers.map((peer) => peer.closed));
  await crowd.join('after');
  await during();
  crowd.assertHeardNothingElse();
}

/** A case in which one peer says something, then that no more comes: whatever it said, that ends its connection. */
function saying(
  id: string,
  what: string,
  bytes: (opening: Uint8Array) => readonly Uint8Array[],
): TransportCase {
  return {
    id: `transport/hostile/${id}`,
    title: `lets others go on while somebody ${what}, and ends with it`,
    promise,
    needs: needsRaw,
    run: (given) =>
      amidst(given, async (enter, opening) => {
        const peer = await enter();
        for (const each of bytes(opening)) {
          peer.write(each);
          await turn();
        }
        peer.end();
        await peer.closed;
      }),
  };
}

const half = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, Math.ceil(bytes.byteLength / 2));
const filled = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);

/** Peers that are no nodes. */
export const hostileCases: readonly TransportCase[] = [
  saying('says-nothing', 'connects, says nothing and ends', () => []),
  saying('random-bytes', 'says a megabyte of nonsense', () => [patternOf(MIB)]),
  saying('zeros', 'says eight megabytes of zeros', () => [filled(0, 8 * MIB)]),
  saying('ones', 'says eight megabytes of ones', () => [filled(0xff, 8 * MIB)]),
  saying('other-protocol', 'asks for a page of a web server', () => [
    Buffer.from('GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\n'),
  ]),
  saying('opening-only', 'opens as a node does and says nothing more', (opening) => [opening]),
  saying('opening-in-half', 'stops in the middle of its opening', (opening) => [half(opening)]),
  saying('opening-by-bytes', 'opens a byte at a time, and goes on with nonsense', (opening) => [
    ...Array.from(opening, (byte) => Uint8Array.of(byte)),
    patternOf(1_000),
  ]),
  saying('opening-twice', 'opens, and opens again', (opening) => [opening, opening]),
  saying('nonsense-after-opening', 'opens as a node does and goes on with nonsense', (opening) => [
    opening,
    patternOf(MIB, 5),
  ]),
  saying('zeros-after-opening', 'opens as a node does and goes on with zeros', (opening) => [
    opening,
    filled(0, MIB),
  ]),
  saying('longest-length', 'announces more than there is memory', (opening) => [opening, filled(0xff, 16)]),
  {
    id: 'transport/hostile/silent-crowd',
    title: 'lets others in while a hundred peers are connected and say nothing',
    promise,
    needs: needsRaw,
    run: (given) =>
      amidst(given, async (enter) => {
        for (let n = 0; n < 100; n += 1) await enter();
      }),
  },
  {
    id: 'transport/hostile/comes-and-goes',
    title: 'lets others in after a hundred peers that vanish as soon as they are connected',
    promise,
    needs: needsRaw,
    run: (given) =>
      amidst(given, async (enter, opening) => {
        for (let n = 0; n < 100; n += 1) {
          const peer = await enter();
          if (n % 2 === 0) peer.write(opening);
          peer.destroy();
        }
      }),
  },
  {
    id: 'transport/hostile/listener-closes',
    title: 'lets a listener close that has peers in the middle of their opening',
    promise,
    needs: needsRaw,
    async run({ listen, raw, opening }) {
      const listener = await listen();
      const peers = [await raw(listener), await raw(listener)];
      peers[0]?.write(half(opening(listener)));
      await turns(3);
      await listener.close();
      await Promise.all(peers.map((peer) => peer.closed));
    },
  },
];
