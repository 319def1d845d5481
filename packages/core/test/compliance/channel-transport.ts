import { Observable, type Subscriber } from 'rxjs';
import type { FaultyLink } from '../../src/compliance/tcp-link.ts';
import type { TransportPlace, TransportSubject } from '../../src/compliance/transport-subject.ts';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.ts';
import { systemClock } from '../../src/lifecycle/platform/system-clock.ts';
import type { MessagePipe } from '../../src/ports/message-pipe.ts';
import type { Connection, Listener, Transport } from '../../src/ports/transport.ts';
import { multiplex } from '../../src/protocol/multiplexer.ts';
import { ChannelPipe } from './channel-pipe.ts';

/** What is wrong with a transport: each part is put in the place of the sound one. */
export interface TransportBreakage {
  readonly pipe?: (end: MessagePipe) => MessagePipe;
  readonly connection?: (end: Connection, dialled: boolean) => Connection;
  readonly transport?: (transport: Transport) => Transport;
  readonly listener?: (listener: Listener) => Listener;
}

const CAPABILITIES = { ordered: true, largestBodyBytes: Number.POSITIVE_INFINITY, sharesMemory: false };

/** A transport over MessageChannels, between the nodes of one thread: all of the wire, and no sockets. */
export class ChannelTransport implements Transport {
  readonly name = 'channel';
  readonly schemes = ['channel:'];
  readonly capabilities = CAPABILITIES;
  readonly #breakage: TransportBreakage;
  readonly #listeners = new Map<string, ChannelListener>();
  /** Links, by the addresses that lead over them. */
  readonly #links = new Map<string, ChannelLink>();

  constructor(breakage: TransportBreakage = {}) {
    this.#breakage = breakage;
  }

  async dial(address: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Connection> {
    signal?.throwIfAborted();
    const link = this.#links.get(address);
    if (link) await link.passed(signal);
    const listener = this.#listeners.get(link?.target ?? address);
    if (!listener) throw new RoutineEngineError('TRANSPORT_UNREACHABLE', `Nobody listens at ${address}`);
    const { here, there } = ChannelPipe.pair();
    link?.carry(here, there);
    listener.accept(this.#connection(there, false));
    return this.#connection(here, true);
  }

  async listen(address: string): Promise<Listener> {
    if (!/^channel:[\w-]+$/.test(address))
      throw new RoutineEngineError('OPTION_INVALID', `${address} is no address of a channel`);
    if (this.#listeners.has(address))
      throw new RoutineEngineError('TRANSPORT_ADDRESS_IN_USE', `Somebody listens at ${address}`);
    const listener = new ChannelListener(address, () => this.#listeners.delete(address));
    this.#listeners.set(address, listener);
    return this.#breakage.listener?.(listener) ?? listener;
  }

  link(target: string): FaultyLink {
    const address = `channel:link-${this.#links.size}`;
    const link = new ChannelLink(address, target);
    this.#links.set(address, link);
    return link;
  }

  #connection(end: ChannelPipe, dialled: boolean): Connection {
    const { pipe, connection } = this.#breakage;
    const made = multiplex(pipe?.(end) ?? end, { clock: systemClock });
    return connection?.(made, dialled) ?? made;
  }
}

class ChannelListener implements Listener {
  readonly address: string;
  readonly #onClose: () => void;
  readonly #connections: Connection[] = [];
  #waiting: Connection[] = [];
  #subscriber: Subscriber<Connection> | undefined;
  #isClosed = false;

  constructor(address: string, onClose: () => void) {
    this.address = address;
    this.#onClose = onClose;
  }

  readonly connections$: Observable<Connection> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    for (const connection of this.#waiting.splice(0)) subscriber.next(connection);
    if (this.#isClosed) subscriber.complete();
  });

  accept(connection: Connection): void {
    this.#connections.push(connection);
    if (this.#subscriber) this.#subscriber.next(connection);
    else this.#waiting.push(connection);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#onClose();
    this.#waiting = [];
    await Promise.all(this.#connections.map((connection) => connection.close()));
    this.#subscriber?.complete();
  }
}

class ChannelLink implements FaultyLink {
  readonly address: string;
  readonly target: string;
  readonly #ends: ChannelPipe[] = [];
  #isFrozen = false;

  constructor(address: string, target: string) {
    this.address = address;
    this.target = target;
  }

  /** Resolves when a dial gets through; a silent link answers nobody. */
  async passed(signal: AbortSignal | undefined): Promise<void> {
    if (!this.#isFrozen) return;
    await new Promise((_, reject) =>
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    );
  }

  carry(...ends: readonly ChannelPipe[]): void {
    this.#ends.push(...ends);
  }

  cut(): void {
    for (const end of this.#ends.splice(0)) end.cut();
  }

  freeze(): void {
    this.#isFrozen = true;
    for (const end of this.#ends) end.freeze();
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const end of this.#ends) end.thaw();
  }

  async close(): Promise<void> {
    this.cut();
  }
}

let addresses = 0;

/** How a transport over channels is judged. */
export function channelSubject(
  breakage: TransportBreakage = {},
): TransportSubject<TransportPlace & { readonly sound: ChannelTransport }> {
  return {
    capabilities: CAPABILITIES,
    create: () => {
      const sound = new ChannelTransport(breakage);
      const listening = breakage.transport?.(sound) ?? sound;
      return { sound, listening, address: () => `channel:at-${(addresses += 1)}` };
    },
    link: async ({ address }, { sound }) => sound.link(address),
  };
}
