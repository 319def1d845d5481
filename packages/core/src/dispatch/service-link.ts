import { toPlainError } from '../errors/error-conversion.js';
import type { PlainError } from '../errors/plain-error.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EngineEvent, TransportEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import { dropBody, type Body } from '../model/body.js';
import { LIMITS } from '../model/limits.js';
import type { WorkerStatus } from '../model/statuses.js';
import type { Codec } from '../ports/codec.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type { Random } from '../ports/random.js';
import type { Directive, Welcome } from '../protocol/directives.js';
import type { OnRefused } from '../protocol/session.js';
import { redialDelayMs } from './redial.js';
import { ServiceConnection, type ServiceConnectionParts } from './service-connection.js';

export interface ServiceLinkParts extends ServiceConnectionParts {
  readonly random: Random;
  readonly feed: EventFeed<EngineEvent>;
  /** What it answers when it is asked for its pulse. Default IDLE. */
  readonly status?: () => WorkerStatus;
  /** Milliseconds for which it dials again after a loss. Default {@link LIMITS}.reconnectForMs. */
  readonly reconnectForMs?: number | undefined;
}

type Handler<Type extends Directive['type']> = (
  directive: Extract<Directive, { readonly type: Type }>,
  body: Body | undefined,
) => void;

/** What came of a greeting. */
export interface Greeted {
  /** It is the first connection. */
  readonly isFirst: boolean;
  /** See {@link Welcome.resumed}. */
  readonly resumed: boolean;
}

/** How a node reaches the service, over as many connections as it takes: one that is lost is dialled again. */
export class ServiceLink {
  readonly #parts: ServiceLinkParts;
  readonly #handlers = new Map<string, (directive: Directive, body: Body | undefined) => void>();
  readonly #greetedListeners: ((greeted: Greeted) => void)[] = [];
  readonly #lossListeners: ((error: Error) => void)[] = [];
  readonly #closing = new AbortController();
  #current: ServiceConnection | undefined;
  /** The session to go on with. */
  #session: string | undefined;
  /** Why it is closed for good. */
  #lost: Error | undefined;
  #redial: Timer | undefined;
  /** Dials that failed since something was last heard for a while. */
  #failures = 0;

  constructor(parts: ServiceLinkParts) {
    this.#parts = parts;
  }

  /** See {@link TransportCapabilities.sharesMemory}. */
  get sharesMemory(): boolean {
    return this.#parts.transport.capabilities.sharesMemory;
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  get codec(): Codec {
    return this.#parts.codec;
  }

  get logger(): Logger {
    return this.#parts.logger;
  }

  /** Whether it is open, or will be again: what can't be sent now can be sent later. */
  get goesOn(): boolean {
    return this.#session !== undefined && !this.#lost && !this.#closing.signal.aborted;
  }

  /** Hears directives of one type, and owns their bodies; one handler a type, set before `open`. */
  on<Type extends Directive['type']>(type: Type, handler: Handler<Type>): void {
    this.#handlers.set(type, handler as unknown as (directive: Directive, body: Body | undefined) => void);
  }

  /** Hears of each new connection, before anything is sent over it; at once it says all that the service must know. */
  onGreeted(listener: (greeted: Greeted) => void): void {
    this.#greetedListeners.push(listener);
  }

  /** Hears once when the service can't be reached any more, also by `close`. */
  onLost(listener: (error: Error) => void): void {
    this.#lossListeners.push(listener);
  }

  /**
   * Dials and greets.
   * @throws {@link RoutineEngineError} `TRANSPORT_UNREACHABLE`, `TRANSPORT_CLOSED`, or why the service refused.
   */
  async open(): Promise<void> {
    await this.#dial();
  }

  /**
   * Sends a directive.
   * @throws {@link RoutineEngineError} `TRANSPORT_CLOSED`, also until it is dialled again; why the connection can't send it at all,
   *   unless that comes out later: then `onRefused` hears it.
   */
  send(directive: Directive, body?: Body, onRefused?: OnRefused): void {
    if (!this.#current) throw this.#lost ?? this.#closedError('is not open');
    this.#current.session.send(directive, body, onRefused);
  }

  /** Sends a directive whose loss needs no word; its body is given up then. */
  post(directive: Directive, body?: Body): void {
    try {
      this.send(directive, body);
    } catch (error) {
      dropBody(body);
      this.#parts.logger.log('debug', `${directive.type} was not sent`, { error });
    }
  }

  /** Leaves the service for good. */
  async close(): Promise<void> {
    const error = this.#closedError('was closed');
    if (this.#current) this.post({ type: 'v1.node.leaving' });
    this.#closing.abort(error);
    this.#redial?.cancel();
    const closed = this.#current?.close('the node closes');
    this.#lose(error);
    await closed;
  }

  async #dial(): Promise<void> {
    const isFirst = this.#session === undefined;
    this.#tell({ type: 'transport.connecting' });
    await ServiceConnection.open(this.#parts, {
      resume: this.#session,
      signal: this.#closing.signal,
      onWelcome: (opened, welcome) => this.#greeted(opened, welcome, isFirst),
      onDirective: (directive, body) => this.#handle(directive, body),
      onEnd: (error) => this.#ended(error),
    });
  }

  #greeted(opened: ServiceConnection, { service, session, resumed }: Welcome, isFirst: boolean): void {
    this.#current = opened;
    this.#session = session;
    this.#tell({ type: 'transport.connected', peer: service });
    for (const listener of this.#greetedListeners) listener({ isFirst, resumed });
    if (isFirst) return;
    this.post({ type: 'v1.node.resynced' });
    this.#tell({ type: 'transport.resynced', resumed });
  }

  #handle(directive: Directive, body: Body | undefined): void {
    if (directive.type === 'v1.heartbeat.check_pulse') {
      // Whoever is asked for its pulse is in for good.
      this.#failures = 0;
      return this.post({ type: 'v1.heartbeat.give_pulse', status: this.#parts.status?.() ?? 'IDLE' });
    }
    const handle = this.#handlers.get(directive.type);
    if (!handle) return dropBody(body);
    try {
      handle(directive, body);
    } catch (error) {
      dropBody(body);
      // A fault of this node, not of its peer: the connection stays, and so do the other runs.
      this.#parts.logger.log('error', `${directive.type} could not be handled`, { error });
    }
  }

  #ended(error: Error): void {
    this.#current = undefined;
    if (this.#closing.signal.aborted) return;
    this.#tell({ type: 'transport.lost', error: toPlainError(error) });
    const { reconnectForMs = LIMITS.reconnectForMs, clock } = this.#parts;
    this.#dialLater(error, clock.monotonic() + reconnectForMs);
  }

  #dialLater(why: unknown, until: number): void {
    const { clock, random } = this.#parts;
    const delayMs = redialDelayMs(this.#failures, random.next());
    if (clock.monotonic() + delayMs > until)
      return this.#lose(this.#closedError('is lost, and could not be opened again', why));
    this.#failures += 1;
    // A call that waits for its outcome may be all that the process has left to do.
    this.#redial = clock.after(delayMs, () => this.#dialAgain(until), { holdsProcess: true });
  }

  #dialAgain(until: number): void {
    this.#dial().catch((error: unknown) => {
      if (this.#closing.signal.aborted) return;
      this.#parts.logger.log('debug', `${this.#parts.address} can't be reached yet`, { error });
      this.#dialLater(error, until);
    });
  }

  #lose(error: Error): void {
    if (this.#lost) return;
    this.#lost = error;
    if (this.#session === undefined) return;
    if (this.#closing.signal.aborted) this.#tell({ type: 'transport.closed' });
    for (const listener of this.#lossListeners) listener(error);
  }

  #closedError(what: string, cause?: unknown): RoutineEngineError {
    const message = `The connection to ${this.#parts.address} ${what}`;
    return new RoutineEngineError('TRANSPORT_CLOSED', message, { cause });
  }

  #tell(
    happening:
      | { readonly type: 'transport.connecting' }
      | { readonly type: 'transport.connected'; readonly peer: string }
      | { readonly type: 'transport.lost'; readonly error: PlainError }
      | { readonly type: 'transport.resynced'; readonly resumed: boolean }
      | { readonly type: 'transport.closed' },
  ): void {
    const { feed, clock, node, address } = this.#parts;
    if (feed.observed) feed.emit({ at: clock.now(), node, address, ...happening } satisfies TransportEvent);
  }
}
