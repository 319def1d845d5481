import type {
  Body,
  Connection,
  ConnectionState,
  Envelope,
  Listener,
  Transport,
} from '@routine-engine/core/adapter';
import { concat, filter, NEVER, Observable, ReplaySubject, startWith, type Observable as Told } from 'rxjs';
import { withBody, Wrapped, WrappedTransport } from './wrapped.ts';

type DialOptions = { readonly signal?: AbortSignal };

/** Drops what was sent last, in the turn in which it closes. */
class DropsLast extends Wrapped {
  #held: Envelope | undefined;
  #isClosed = false;

  constructor(sound: Connection) {
    super(sound);
    sound.state$.subscribe((state) => (this.#isClosed = state === 'closed'));
  }

  override send(envelope: Envelope): boolean {
    if (this.#isClosed) return this.sound.send(envelope);
    this.#flush();
    const hasRoom = this.sound.full === false;
    this.#held = envelope;
    setImmediate(() => this.#flush());
    return hasRoom;
  }

  override close(): Promise<void> {
    this.#held = undefined;
    return this.sound.close();
  }

  #flush(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held && !this.#isClosed) this.sound.send(held);
  }
}

class Doubles extends Wrapped {
  #count = 0;

  override send(envelope: Envelope): boolean {
    this.#count += 1;
    if (this.#count % 9_999 === 0) this.sound.send(envelope);
    return this.sound.send(envelope);
  }
}

/** Has the fourth and fifth envelope of each two hundred change places. */
class Reorders extends Wrapped {
  #count = 0;
  #held: Envelope | undefined;

  override send(envelope: Envelope): boolean {
    this.#count += 1;
    if (this.#count % 5_000 === 4_000) {
      this.#held = envelope;
      return true;
    }
    const hasRoom = this.sound.send(envelope);
    if (this.#held) this.sound.send(this.#held);
    this.#held = undefined;
    return hasRoom;
  }
}

class ForgetsEmptyBodies extends Wrapped {
  override send(envelope: Envelope): boolean {
    return this.sound.send(withBody(envelope, (body) => (body.byteLength === 0 ? undefined : body)));
  }
}

/** Keeps whole numbers in 32 bits with a sign, in the order of another machine. */
class NarrowsNumbers extends Wrapped {
  override send({ header, body }: Envelope): boolean {
    const narrow = (value: unknown): unknown => (Number.isInteger(value) ? Number(value) | 0 : value);
    const narrowed = Object.fromEntries(Object.entries(header).map(([name, value]) => [name, narrow(value)]));
    return this.sound.send({ header: narrowed, ...(body && { body }) });
  }
}

class CutsTexts extends Wrapped {
  override send({ header, body }: Envelope): boolean {
    const cut = (value: unknown): unknown => (typeof value === 'string' ? value.slice(0, 65_536) : value);
    const shortened = Object.fromEntries(Object.entries(header).map(([name, value]) => [name, cut(value)]));
    return this.sound.send({ header: shortened, ...(body && { body }) });
  }
}

/** Reuses one buffer for all chunks that come one by one, and reads ahead into it. */
class SharesBuffer extends Wrapped {
  override send(envelope: Envelope): boolean {
    return this.sound.send(
      withBody(envelope, (body) => ({
        ...{ byteLength: body.byteLength, sizes: body.sizes },
        ...(body.parts && { parts: body.parts }),
        async *chunks() {
          const buffer = new Uint8Array(48 * 1024);
          for await (const chunk of body.chunks()) {
            if (chunk.byteLength !== buffer.byteLength) yield chunk;
            else {
              buffer.set(chunk);
              yield buffer.fill(buffer[0] ?? 0, 0, 2);
            }
          }
        },
      })),
    );
  }
}

class NeverFull extends Wrapped {
  override get full(): boolean {
    return false;
  }

  override send(envelope: Envelope): boolean {
    this.sound.send(envelope);
    return true;
  }

  override async drained(): Promise<void> {
    if (this.sound.full) return;
    await this.sound.drained();
  }
}

class FullForEver extends Wrapped {
  override get full(): boolean {
    return true;
  }

  override send(envelope: Envelope): boolean {
    this.sound.send(envelope);
    return false;
  }
}

class NeverDrained extends Wrapped {
  override drained(): Promise<void> {
    if (!this.sound.full) return this.sound.drained();
    return new Promise((_, reject) => {
      this.sound.drained().catch(reject);
    });
  }
}

class WaitsAfterClose extends Wrapped {
  override async drained(): Promise<void> {
    if (!this.sound.full) return this.sound.drained();
    await this.sound.drained().catch(() => new Promise(() => undefined));
  }
}

class TakesAfterClose extends Wrapped {
  override send(envelope: Envelope): boolean {
    try {
      return this.sound.send(envelope);
    } catch {
      return false;
    }
  }
}

class NeverEnds extends Wrapped {
  override get state$(): Told<ConnectionState> {
    return concat(this.sound.state$.pipe(filter((state) => state === 'open')), NEVER);
  }
}

class OpensTwice extends Wrapped {
  override get state$(): Told<ConnectionState> {
    return this.sound.state$.pipe(startWith('open' as const));
  }
}

class HandsOutSubject extends Wrapped {
  readonly #states = new ReplaySubject<ConnectionState>(1);

  constructor(sound: Connection) {
    super(sound);
    sound.state$.subscribe(this.#states);
  }

  override get state$(): Told<ConnectionState> {
    return this.#states.asObservable();
  }
}

class KeepsTimer extends Wrapped {
  readonly timer = setTimeout(() => undefined, 60_000).unref();
}

/** Bodies whose reader is all that its sender sees of it. */
class Bodies extends Wrapped {
  readonly #change: (body: Body) => Body;

  constructor(sound: Connection, change: (body: Body) => Body) {
    super(sound);
    this.#change = change;
  }

  override send(envelope: Envelope): boolean {
    return this.sound.send(withBody(envelope, this.#change));
  }
}

/** Keeps to itself that a reader wants no more. */
function neverGivenUp(body: Body): Body {
  return {
    ...{ byteLength: body.byteLength, sizes: body.sizes },
    ...(body.parts && { parts: body.parts }),
    chunks: () => {
      const iterator = body.chunks()[Symbol.asyncIterator]();
      let isOver = false;
      const rest = {
        next: async () => (isOver ? { done: true as const, value: undefined } : iterator.next()),
        return: async () => ((isOver = true), { done: true as const, value: undefined }),
      };
      return { [Symbol.asyncIterator]: () => rest };
    },
  };
}

/** Ends a body whose source fails, as if that had been all. */
function failsQuietly(body: Body): Body {
  return {
    ...{ byteLength: body.byteLength, sizes: body.sizes },
    ...(body.parts && { parts: body.parts }),
    async *chunks() {
      try {
        yield* body.chunks();
      } catch {
        return;
      }
    },
  };
}

class IgnoresSignal extends WrappedTransport {
  override dial(address: string): Promise<Connection> {
    return super.dial(address);
  }
}

class HidesReason extends WrappedTransport {
  override async dial(address: string, options?: DialOptions): Promise<Connection> {
    if (options?.signal?.aborted) throw new Error('aborted');
    return super.dial(address);
  }
}

class KeepsSignal extends WrappedTransport {
  override async dial(address: string, options?: DialOptions): Promise<Connection> {
    const connection = await super.dial(address, options);
    options?.signal?.addEventListener('abort', () => undefined);
    return connection;
  }
}

/** Opens another connection beside the third. */
class DialsTwice extends WrappedTransport {
  #dials = 0;

  override async dial(address: string, options?: DialOptions): Promise<Connection> {
    const first = await super.dial(address, options);
    this.#dials += 1;
    if (this.#dials !== 3) return first;
    await (await super.dial(address, options)).close();
    return first;
  }
}

class ThrowsAtOnce extends WrappedTransport {
  override listen(address: string): Promise<Listener> {
    if (!address.startsWith('inproc:')) throw new TypeError(`${address} is not mine`);
    return super.listen(address);
  }
}

class LeavesConnections extends WrappedTransport {
  override async listen(address: string): Promise<Listener> {
    const listener = await super.listen(address);
    return { ...listener, close: async () => undefined };
  }
}

class ForgetsAddress extends WrappedTransport {
  override async listen(address: string): Promise<Listener> {
    const listener = await super.listen(address);
    let isClosed = false;
    return {
      ...{ connections$: listener.connections$ },
      get address() {
        return isClosed ? 'inproc:' : address;
      },
      close: async () => {
        await listener.close();
        isClosed = true;
      },
    };
  }
}

class HearsOnlySubscribed extends WrappedTransport {
  override async listen(address: string): Promise<Listener> {
    const listener = await super.listen(address);
    const told = new ReplaySubject<Connection>(1);
    listener.connections$.subscribe(told);
    return { ...listener, connections$: new Observable((subscriber) => told.subscribe(subscriber)) };
  }
}

/** Each with what is wrong about it, and the ids of exactly the cases that it fails. */
export const BROKEN_TRANSPORTS: readonly (readonly [string, () => Transport, readonly string[]])[] = [
  [
    'drops the last envelope before it closes',
    () => new WrappedTransport((end) => new DropsLast(end)),
    [
      'transport/close/delivers-before',
      'transport/close/delivers-bodies-before',
      'transport/close/delivers-to-late-subscriber',
      'transport/close/twice',
      'transport/reconnect/again-and-again',
    ],
  ],
  [
    'doubles an envelope in five thousand',
    () => new WrappedTransport((end) => new Doubles(end)),
    ['transport/ordering/keeps-order', 'transport/ordering/keeps-order-both-ways'],
  ],
  [
    'has two envelopes in five thousand change places',
    () => new WrappedTransport((end) => new Reorders(end)),
    ['transport/ordering/keeps-order', 'transport/ordering/keeps-order-both-ways'],
  ],
  [
    'forgets empty bodies',
    () => new WrappedTransport((end) => new ForgetsEmptyBodies(end)),
    [
      'transport/framing/empty-body',
      'transport/framing/parts-of-body',
      'transport/ordering/keeps-order-of-all-sizes',
    ],
  ],
  [
    'keeps numbers in 32 bits',
    () => new WrappedTransport((end) => new NarrowsNumbers(end)),
    ['transport/framing/header-of-every-kind'],
  ],
  [
    'cuts texts at 64 KiB',
    () => new WrappedTransport((end) => new CutsTexts(end)),
    ['transport/framing/header-of-most-bytes'],
  ],
  [
    'overwrites a buffer that it shares',
    () => new WrappedTransport((end) => new SharesBuffer(end)),
    ['transport/framing/lent-chunks'],
  ],
  [
    'never says full',
    () => new WrappedTransport((end) => new NeverFull(end)),
    [
      'transport/backpressure/says-full',
      'transport/backpressure/full-is-what-send-says',
      'transport/backpressure/drains',
      'transport/backpressure/wakes-all',
      'transport/backpressure/takes-beyond-full',
      'transport/backpressure/other-way-goes-on',
      'transport/backpressure/other-connections-go-on',
      'transport/close/rejects-waiting',
      'transport/reconnect/has-room-again',
      'transport/leaks/full',
    ],
  ],
  [
    'says full for ever',
    () => new WrappedTransport((end) => new FullForEver(end)),
    [
      'transport/backpressure/has-room-at-first',
      'transport/backpressure/drains',
      'transport/close/rejects-waiting',
      'transport/reconnect/has-room-again',
      'transport/leaks/full',
    ],
  ],
  [
    'never says that it has drained',
    () => new WrappedTransport((end) => new NeverDrained(end)),
    ['transport/ordering/across-drains', 'transport/backpressure/drains', 'transport/backpressure/wakes-all'],
  ],
  [
    'lets who waits for room wait when it closes',
    () => new WrappedTransport((end) => new WaitsAfterClose(end)),
    ['transport/close/rejects-waiting', 'transport/leaks/full'],
  ],
  [
    'takes envelopes when it is closed',
    () => new WrappedTransport((end) => new TakesAfterClose(end)),
    [
      'transport/close/refuses-to-send',
      'transport/close/refuses-to-send-at-once',
      'transport/close/delivers-nothing-behind',
      'transport/reconnect/to-next-listener',
    ],
  ],
  [
    'keeps its end to itself',
    () => new WrappedTransport((end) => new NeverEnds(end)),
    [
      'transport/events/open-then-closed',
      'transport/events/late-subscriber',
      'transport/events/several-subscribers',
      'transport/events/closed-before-close-resolves',
      'transport/close/delivers-to-late-subscriber',
      'transport/reconnect/from-end-of-state',
    ],
  ],
  [
    'tells `open` twice',
    () => new WrappedTransport((end) => new OpensTwice(end)),
    [
      'transport/events/open-then-closed',
      'transport/events/late-subscriber',
      'transport/events/several-subscribers',
      'transport/events/closed-before-close-resolves',
    ],
  ],
  [
    'hands out a Subject',
    () => new WrappedTransport((end) => new HandsOutSubject(end)),
    ['transport/events/no-subject'],
  ],
  [
    'keeps a timer',
    () => new WrappedTransport((end) => new KeepsTimer(end)),
    [
      'transport/leaks/closed',
      'transport/leaks/closed-with-listener',
      'transport/leaks/one-after-the-other',
      'transport/leaks/full',
      'transport/leaks/body-given-up',
    ],
  ],
  [
    'keeps a source that nobody reads',
    () => new WrappedTransport((end) => new Bodies(end, neverGivenUp)),
    ['transport/half-close/reader-gives-up'],
  ],
  [
    'ends a body that fails',
    () => new WrappedTransport((end) => new Bodies(end, failsQuietly)),
    ['transport/half-close/source-fails', 'transport/half-close/source-fails-at-once'],
  ],
  [
    'ignores the signal of a dial',
    () => new IgnoresSignal(),
    ['transport/cancel/aborted-before', 'transport/cancel/aborted-before-at-nobody'],
  ],
  [
    'hides the reason of a signal',
    () => new HidesReason(),
    ['transport/cancel/aborted-before', 'transport/cancel/aborted-before-at-nobody'],
  ],
  [
    'keeps a listener on a signal',
    () => new KeepsSignal(),
    [
      'transport/cancel/forgets-signal',
      'transport/cancel/forgets-signal-of-connection',
      'transport/leaks/no-warnings',
    ],
  ],
  [
    'opens twice',
    () => new DialsTwice(),
    [
      'transport/lifecycle/one-dial-one-connection',
      'transport/lifecycle/keeps-connections-for-subscriber',
      'transport/lifecycle/keeps-connections-apart',
      'transport/load/twenty-connections',
      'transport/reconnect/again-and-again',
      'transport/reconnect/several-at-once',
      'transport/leaks/one-after-the-other',
      'transport/leaks/process-listeners',
      'transport/leaks/no-warnings',
    ],
  ],
  ['throws at once', () => new ThrowsAtOnce(), ['transport/lifecycle/refuses-foreign-address']],
  [
    'leaves connections open when its listener closes',
    () => new LeavesConnections(),
    [
      'transport/lifecycle/refuses-unreachable-address',
      'transport/lifecycle/closed-listener-takes-nobody',
      'transport/lifecycle/listener-close-completes',
      'transport/lifecycle/listener-close-ends-connections',
      'transport/lifecycle/listener-close-twice',
      'transport/lifecycle/frees-address',
      'transport/lifecycle/closes-while-dialled',
      'transport/reconnect/to-next-listener',
      'transport/reconnect/waits-for-listener',
      'transport/leaks/closed-with-listener',
      'transport/leaks/dialled-in-vain',
    ],
  ],
  [
    'forgets the address of a listener that closed',
    () => new ForgetsAddress(),
    ['transport/lifecycle/keeps-its-address'],
  ],
  [
    'keeps one connection for who subscribes to a listener',
    () => new HearsOnlySubscribed(),
    ['transport/lifecycle/keeps-connections-for-subscriber'],
  ],
];
