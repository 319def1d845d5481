import type { Connection, Listener, Transport, TransportCapabilities } from '../ports/transport.js';
import type { ComplianceCase, ComplianceSubject } from './kit.js';
import type { RawPeer } from './raw-peer.js';
import type { FaultyLink } from './tcp-link.js';

/** Where one case may listen and dial, apart from all others. @public */
export interface TransportPlace {
  /** Listens. */
  readonly listening: Transport;
  /** Dials. Default: what listens. */
  readonly dialling?: Transport;
  /** An address to listen at that nobody has, such as `ws://127.0.0.1:0/`. The listener's own address is the one to dial. */
  address(): string;
  /** Removes what is left, when every connection and listener is closed. */
  destroy?(): Promise<void> | void;
}

/** The transport that is judged. Its hooks are methods on purpose: they get a place that its own `create` has made. @public */
export interface TransportSubject<Place extends TransportPlace = TransportPlace> extends ComplianceSubject {
  /** What the transport declares: decides which cases there are, and one of them compares it with the transport. */
  readonly capabilities: TransportCapabilities;
  /** Makes a place, of its own for every case. */
  create(): Promise<Place> | Place;
  /**
   * Makes a way to a listener that the kit can cut and freeze; {@link tcpLink} does for what goes over TCP. Only a transport that
   * stays within one process may do without: there is no case of peers that crash or fall silent then.
   */
  link?(listener: Listener, place: NoInfer<Place>): Promise<FaultyLink>;
  /** Connects to a listener without the transport; {@link rawTcpPeer} does for TCP. Without it there are no hostile peers. */
  raw?(listener: Listener, place: NoInfer<Place>): Promise<RawPeer>;
  /** What a raw peer says first to be taken for a node, such as the request of a WebSocket. Default: nothing. */
  opening?(listener: Listener): Uint8Array;
}

/** What a subject can do: decides which cases it has. @public */
export interface TransportAbilities extends TransportCapabilities {
  /** The kit can cut and freeze what leads to a listener. */
  readonly link: boolean;
  /** The kit can connect without the transport. */
  readonly raw: boolean;
}

/** Both ends of a connection, and the listener that took it. @public */
export interface ConnectionEnds {
  readonly listener: Listener;
  /** The end that dialled. */
  readonly here: Connection;
  readonly there: Connection;
}

/** What one case of the transport kit gets. What it opens is closed behind it. @public */
export interface TransportGiven {
  readonly capabilities: TransportCapabilities;
  /** Aborts when the case is over. */
  readonly signal: AbortSignal;
  readonly listening: Transport;
  readonly dialling: Transport;
  /** An address to listen at that nobody has. */
  readonly address: () => string;
  /** @param at - default: a new address. */
  readonly listen: (at?: string) => Promise<Listener>;
  readonly dial: (address: string, signal?: AbortSignal) => Promise<Connection>;
  /** The next connection of a listener: its only subscriber is here. */
  readonly accept: (listener: Listener) => Promise<Connection>;
  /** A connection of a new listener, or of the given one. */
  readonly connected: (listener?: Listener) => Promise<ConnectionEnds>;
  /** An address at which somebody listened, and nobody does now. */
  readonly nowhere: () => Promise<string>;
  /** A way to a listener that can be cut. */
  readonly link: (listener: Listener) => Promise<FaultyLink>;
  /** A connection over such a way. */
  readonly linked: (listener?: Listener) => Promise<ConnectionEnds & { readonly link: FaultyLink }>;
  readonly raw: (listener: Listener) => Promise<RawPeer>;
  /** What a raw peer says first. */
  readonly opening: (listener: Listener) => Uint8Array;
}

export type TransportCase = ComplianceCase<TransportGiven, TransportAbilities>;

export function needsLink({ link }: TransportAbilities): string | undefined {
  return link ? undefined : 'the subject gives no link that could be cut';
}

export function needsRaw({ raw }: TransportAbilities): string | undefined {
  return raw ? undefined : 'the subject lets nobody connect without the transport';
}

/** For what happens only where bodies are cut into pieces. */
export function needsPieces({ sharesMemory }: TransportAbilities): string | undefined {
  return sharesMemory ? 'bodies go over by reference: their reader has the body of the sender' : undefined;
}

/** For bodies of that many bytes. */
export function needsBodiesOf(byteLength: number): (abilities: TransportAbilities) => string | undefined {
  return ({ largestBodyBytes }) =>
    largestBodyBytes >= byteLength ? undefined : `no body has more than ${largestBodyBytes} bytes`;
}
