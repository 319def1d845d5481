import { bodyOf, encodedOf, type Connection, type Envelope } from '@routine-engine/core/adapter';
import {
  SeededRandom,
  SimulatedClock,
  SimulatedNetwork,
  type LinkConditions,
  type SimulatedNetworkOptions,
  type SimulatedProcess,
} from '@routine-engine/transport-inproc/simulation';
import { describe, expect, it } from 'vitest';

/** A client and a service that are connected. */
class Pair {
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly client: SimulatedProcess;
  readonly service: SimulatedProcess;
  readonly heardByClient: unknown[] = [];
  readonly heardByService: unknown[] = [];
  readonly envelopes: Envelope[] = [];
  here!: Connection;
  there!: Connection;

  constructor(options: Partial<SimulatedNetworkOptions> = {}) {
    this.clock = options.clock ?? new SimulatedClock();
    this.network = new SimulatedNetwork({ clock: this.clock, random: new SeededRandom(1), ...options });
    this.client = this.clock.process('client');
    this.service = this.clock.process('service');
  }

  static async open(options: Partial<SimulatedNetworkOptions> = {}): Promise<Pair> {
    const pair = new Pair(options);
    const listener = await pair.network.transport(pair.service).listen('simulated:service');
    listener.connections$.subscribe((connection) => {
      pair.there = connection;
      pair.#hear(connection, pair.service, pair.heardByService);
    });
    void pair.network
      .transport(pair.client)
      .dial('simulated:service')
      .then((connection) => {
        pair.here = connection;
        pair.#hear(connection, pair.client, pair.heardByClient);
      });
    await pair.clock.run({ until: () => pair.here !== undefined });
    return pair;
  }

  /** Lets so much time pass. @returns what the service heard, and when. */
  async after(milliseconds: number): Promise<unknown[]> {
    await this.clock.advance(milliseconds);
    return this.heardByService.splice(0);
  }

  #hear(connection: Connection, process: SimulatedProcess, heard: unknown[]): void {
    connection.inbound$.subscribe({
      next: (envelope) => {
        heard.push([envelope.header['n'], process.monotonic()]);
        this.envelopes.push(envelope);
      },
      complete: () => heard.push('end'),
    });
  }
}

const good = (conditions: Partial<LinkConditions>): Partial<SimulatedNetworkOptions> => ({ conditions });
const numbers = (heard: readonly unknown[]): unknown[] =>
  heard.map((each) => (Array.isArray(each) ? each[0] : each));
const bytes = (length: number): Envelope['body'] => bodyOf({ head: new Uint8Array(length), buffers: [] });

describe('a simulated connection', () => {
  it('carries envelopes in order, each as late as its link makes it', async () => {
    const pair = await Pair.open(good({ delayMs: 10, jitterMs: 30 }));
    const start = pair.clock.monotonic();
    for (let n = 0; n < 50; n += 1) pair.here.send({ header: { n } });
    const heard = (await pair.after(100)) as [number, number][];
    expect(numbers(heard)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    const delays = heard.map(([, at]) => at - start);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(10);
    expect(Math.max(...delays)).toBeLessThanOrEqual(40);
  });

  it('takes as long as a slow link needs for the bytes', async () => {
    const pair = await Pair.open(good({ delayMs: 1, bytesPerSecond: 100_000 }));
    pair.here.send({ header: { n: 1 }, body: bytes(50_000) as never });
    expect(await pair.after(490)).toEqual([]);
    expect(numbers(await pair.after(20))).toEqual([1]);
  });

  it('loses, doubles and reorders envelopes as often as it is told', async () => {
    const all = Array.from({ length: 200 }, (_, n) => n);
    const send = async (conditions: Partial<LinkConditions>): Promise<{ heard: unknown[]; pair: Pair }> => {
      const pair = await Pair.open();
      pair.network.setConditions(conditions);
      for (const n of all) pair.here.send({ header: { n } });
      return { pair, heard: numbers(await pair.after(1_000)) };
    };
    const lossy = await send({ lossRate: 0.1 });
    expect(lossy.heard.length).toBe(200 - lossy.pair.network.faults.lost);
    expect(lossy.pair.network.faults.lost).toBeGreaterThan(5);
    const doubling = await send({ duplicationRate: 0.1 });
    expect(doubling.heard.length).toBe(200 + doubling.pair.network.faults.duplicated);
    expect(doubling.pair.network.faults.duplicated).toBeGreaterThan(5);
    const reordering = await send({ reorderingRate: 0.1 });
    expect(reordering.heard).not.toEqual(all);
    expect((reordering.heard as number[]).toSorted((a, b) => a - b)).toEqual(all);
  });

  it('says when its window is full, and when it has room again', async () => {
    const pair = await Pair.open({ windowBytes: 1_000 });
    pair.service.freeze();
    expect(pair.here.send({ header: { n: 1 } })).toBe(true);
    expect(pair.here.send({ header: { n: 2 }, body: bytes(1_000) as never })).toBe(false);
    let hasRoom = false;
    void pair.here.drained().then(() => (hasRoom = true));
    await pair.after(100);
    expect([pair.here.full, hasRoom]).toEqual([true, false]);
    pair.service.thaw();
    await pair.after(100);
    expect([pair.here.full, hasRoom]).toEqual([false, true]);
  });

  it('brings what was sent before it was closed, then ends for both', async () => {
    const pair = await Pair.open();
    pair.here.send({ header: { n: 1 } });
    await pair.here.close();
    expect(() => pair.here.send({ header: { n: 2 } })).toThrow('is closed');
    expect(numbers(await pair.after(10))).toEqual([1, 'end']);
    expect(pair.heardByClient).toEqual(['end']);
    expect(pair.network.openEnds).toBe(0);
  });

  it('that is cut loses what is under way, and both ends are told', async () => {
    const pair = await Pair.open(good({ delayMs: 5 }));
    pair.here.send({ header: { n: 1 } });
    expect(pair.network.cut('service', 'client')).toBe(1);
    expect(await pair.after(100)).toEqual(['end']);
    expect(pair.heardByClient).toEqual(['end']);
    expect(pair.network.openEnds).toBe(0);
  });

  it('that is half-open carries nothing, and nobody is told', async () => {
    const pair = await Pair.open();
    expect(pair.network.breakSilently('client', 'service')).toBe(1);
    pair.here.send({ header: { n: 1 } });
    pair.network.heal();
    expect(await pair.after(100_000)).toEqual([]);
    await pair.here.close();
    expect(await pair.after(100_000)).toEqual([]);
    expect(pair.network.openEnds).toBe(1);
  });

  it('is held up by a partition, one way if wanted, and goes on when that is over', async () => {
    const pair = await Pair.open();
    pair.network.block('client', 'service');
    pair.here.send({ header: { n: 1 } });
    pair.here.send({ header: { n: 2 } });
    pair.there.send({ header: { n: 'back' } });
    expect(await pair.after(5_000)).toEqual([]);
    expect(numbers(pair.heardByClient)).toEqual(['back']);
    pair.here.send({ header: { n: 3 } });
    pair.network.unblock('client', 'service');
    expect(numbers(await pair.after(5))).toEqual([1, 2, 3]);
    expect(pair.network.faults.partitions).toBe(1);
  });

  it('has conditions of its own, one way, until those of all links are set', async () => {
    const pair = await Pair.open();
    pair.network.setLink('client', 'service', { delayMs: 100 });
    pair.here.send({ header: { n: 1 } });
    pair.there.send({ header: { n: 'back' } });
    expect(await pair.after(99)).toEqual([]);
    expect(numbers(pair.heardByClient)).toEqual(['back']);
    expect(numbers(await pair.after(1))).toEqual([1]);
    pair.network.setConditions({});
    pair.here.send({ header: { n: 2 } });
    expect(numbers(await pair.after(1))).toEqual([2]);
  });

  it('ends for the peer of a process that was killed, but not of one whose machine vanished', async () => {
    const killed = await Pair.open();
    killed.client.kill();
    expect(await killed.after(10)).toEqual(['end']);
    const vanished = await Pair.open();
    vanished.network.vanish(vanished.client);
    expect(await vanished.after(100_000)).toEqual([]);
  });
});

describe('a body over a simulated connection', () => {
  it('that is short comes with its directive, as bytes and without the value of the sender', async () => {
    const pair = await Pair.open();
    const value = { head: new Uint8Array([1, 2]), buffers: [new Uint8Array([3])] };
    pair.here.send({ header: { n: 1 }, body: bodyOf(value) });
    await pair.after(10);
    const body = pair.envelopes[0]?.body;
    expect(body?.value).toBeUndefined();
    expect(body?.parts).toEqual([value.head, ...value.buffers]);
  });

  it('that is long is read chunk by chunk', async () => {
    const pair = await Pair.open();
    const head = Uint8Array.from({ length: 1_000_000 }, (_, index) => index);
    pair.here.send({ header: { n: 1 }, body: bodyOf({ head, buffers: [new Uint8Array([7])] }) });
    await pair.after(10);
    const body = pair.envelopes[0]?.body as NonNullable<Envelope['body']>;
    expect(body.parts).toBeUndefined();
    const read = encodedOf(body);
    await pair.after(100);
    const { head: readHead, buffers } = await read;
    expect(Buffer.from(readHead).equals(head)).toBe(true);
    expect(buffers).toEqual([new Uint8Array([7])]);
  });

  it('fails for its reader and is given up by its sender when the connection ends', async () => {
    const pair = await Pair.open();
    let isGivenUp = false;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(10);
      } finally {
        isGivenUp = true;
      }
    }
    pair.here.send({ header: { n: 1 }, body: { byteLength: 1_000, sizes: [1_000], chunks } });
    await pair.after(10);
    const iterator = pair.envelopes[0]?.body?.chunks()[Symbol.asyncIterator]();
    const first = iterator?.next();
    await pair.after(10);
    expect((await first)?.value).toEqual(new Uint8Array(10));
    const failed = iterator?.next().catch((error: { code: string }) => error.code);
    pair.network.cut('client', 'service');
    await pair.after(10);
    expect(await failed).toBe('TRANSPORT_CLOSED');
    expect(isGivenUp).toBe(true);
  });

  it('that goes into a connection that carries nothing is given up by its sender when that ends', async () => {
    const pair = await Pair.open();
    let givenUp = 0;
    const next = async (): Promise<IteratorResult<Uint8Array>> => ({
      value: new Uint8Array(10),
      done: false,
    });
    const end = async (): Promise<IteratorResult<Uint8Array>> => {
      givenUp += 1;
      return { value: undefined, done: true };
    };
    const chunks = (): AsyncIterable<Uint8Array> => ({
      [Symbol.asyncIterator]: () => ({ next, return: end }),
    });
    pair.network.breakSilently('client', 'service');
    pair.here.send({ header: { n: 1 }, body: { byteLength: 1_000, sizes: [1_000], chunks } });
    await pair.after(60_000);
    expect(givenUp).toBe(0);
    void pair.here.close();
    await pair.after(10);
    expect(givenUp).toBe(1);
  });
});

describe('a dial over a simulated network', () => {
  const dial = async (pair: Pair, address = 'simulated:service'): Promise<string> => {
    let outcome = 'none';
    pair.network
      .transport(pair.clock.process('other'))
      .dial(address)
      .then(
        () => (outcome = 'connected'),
        (error: { code: string }) => (outcome = error.code),
      );
    await pair.clock.advance(9_000);
    const early = outcome;
    await pair.clock.advance(9_000);
    return early === outcome ? outcome : `${outcome}, late`;
  };

  it('fails where nobody listens, and where the listener is gone', async () => {
    const pair = await Pair.open();
    expect(await dial(pair, 'simulated:nobody')).toBe('TRANSPORT_UNREACHABLE');
    expect(await dial(pair, 'elsewhere:service')).toBe('TRANSPORT_UNREACHABLE');
    pair.service.kill();
    expect(await dial(pair)).toBe('TRANSPORT_UNREACHABLE');
  });

  it('waits while the link is blocked, but not for ever', async () => {
    const pair = await Pair.open();
    pair.network.block('other', 'service');
    expect(await dial(pair)).toBe('TRANSPORT_UNREACHABLE, late');
    pair.network.unblock('other', 'service');
    expect(await dial(pair)).toBe('connected');
  });

  it('ends with the reason of its signal', async () => {
    const pair = await Pair.open();
    const controller = new AbortController();
    const transport = pair.network.transport(pair.clock.process('other'));
    const dialled = transport.dial('simulated:service', { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(dialled).rejects.toThrow('enough');
    await pair.after(100);
    expect(pair.network.openEnds).toBe(2);
  });
});

it('does the same again with the same seed', async () => {
  const run = async (): Promise<string[]> => {
    const trace: string[] = [];
    const clock = new SimulatedClock({ trace: (line) => trace.push(line) });
    const conditions = { delayMs: 2, jitterMs: 20, lossRate: 0.1, duplicationRate: 0.1, reorderingRate: 0.1 };
    const pair = await Pair.open({ clock, conditions });
    for (let n = 0; n < 100; n += 1) pair.here.send({ header: { n } });
    await clock.advance(500);
    return [...trace, ...pair.heardByService.map(String)];
  };
  const first = await run();
  expect(first.length).toBeGreaterThan(200);
  expect(await run()).toEqual(first);
});
