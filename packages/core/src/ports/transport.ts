import type { Observable } from 'rxjs';
import type { Body } from '../model/body.js';
import type { NodeRole } from '../model/node-role.js';

/** A directive as plain data, before the one reader of untrusted directives has checked it. @public */
export type DirectiveHeader = Readonly<Record<string, unknown>>;

/** A directive and the bytes that belong to it. @public */
export interface Envelope {
  readonly header: DirectiveHeader;
  /**
   * One without `parts` is read as it comes, by whoever got the envelope: once, or given up by `return()` of its iterator, which
   * ends its source. Reading throws an error of the source's code when that fails or is not as long as it said, and
   * `TRANSPORT_CLOSED` when the connection ends in the middle. Nobody waits for it: neither envelopes nor other bodies.
   */
  readonly body?: Body;
}

/** What a transport can do beyond the minimum. The engine and the compliance kit read it; nothing else decides. @public */
export interface TransportCapabilities {
  /** Envelopes of one connection arrive in the order of their `send`. */
  readonly ordered: boolean;
  /** Largest body in bytes; `Infinity` when there is no limit. */
  readonly largestBodyBytes: number;
  /**
   * Both ends are in one process, and bodies go over by reference: to take large parts of values by way of a store would
   * only cost.
   */
  readonly sharesMemory: boolean;
}

/** State of a connection: it opens once and closes once. @public */
export type ConnectionState = 'open' | 'closed';

/** A link between two nodes. @public */
export interface Connection {
  /** For logs and events, such as `inproc:service` or the peer's address. */
  readonly peer: string;
  /** What the peer may be to the service, as its credentials say. Absent: anything. */
  readonly roles?: readonly NodeRole[];
  /**
   * What the peer sent, in order. Buffered until the first subscription; one subscriber. Completes at close, never
   * errors.
   */
  readonly inbound$: Observable<Envelope>;
  /**
   * Sends one envelope, which is always taken. The caller leaves header and body unchanged for good.
   *
   * The peer hears of it later, never within this call. No promise for each: under load a promise costs more than all else that
   * sending does.
   * @returns whether there is room for more; after `false` wait for `drained` before the next, which is the
   *   backpressure.
   * @throws {@link RoutineEngineError} `TRANSPORT_CLOSED`.
   */
  send(envelope: Envelope): boolean;
  /** Whether the window of the peer is full now. */
  readonly full: boolean;
  /**
   * Resolves when the window of the peer has room again; at once when it has.
   * @throws {@link RoutineEngineError} `TRANSPORT_CLOSED` when it closes before.
   */
  drained(): Promise<void>;
  /** Current state first, then the change. Completes with `closed`. */
  readonly state$: Observable<ConnectionState>;
  /** What was sent before still arrives; then both sides see `closed`. A second call does nothing. */
  close(reason?: string): Promise<void>;
}

/** Hears of new connections at one address. @public */
export interface Listener {
  /** The address to dial, such as `inproc:service`; the same after it has closed. */
  readonly address: string;
  /** Each new connection. Buffered until the first subscription; one subscriber. Completes at close. */
  readonly connections$: Observable<Connection>;
  /** Takes no more connections and closes those it has, those that nobody took included. A second call does nothing. */
  close(): Promise<void>;
}

/** Carries directives between a node and the service. Addressed by URL scheme. @public */
export interface Transport {
  /** Short name for logs and errors, such as `inproc`. */
  readonly name: string;
  /** URL schemes it speaks, such as `['inproc:']`. */
  readonly schemes: readonly string[];
  readonly capabilities: TransportCapabilities;
  /**
   * Connects to a listener.
   * @throws {@link RoutineEngineError} `TRANSPORT_UNREACHABLE`, or the reason of `signal`.
   */
  dial(address: string, options?: { readonly signal?: AbortSignal }): Promise<Connection>;
  /** @throws {@link RoutineEngineError} `TRANSPORT_ADDRESS_IN_USE`. */
  listen(address: string): Promise<Listener>;
}
