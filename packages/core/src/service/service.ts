import { Subscription } from 'rxjs';
import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EngineEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import { LIMITS } from '../model/limits.js';
import { statusOfCounts, type ServiceWorkerStatus } from '../model/statuses.js';
import type { Clock } from '../ports/clock.js';
import type { Ids } from '../ports/ids.js';
import type { Logger } from '../ports/logger.js';
import type { Connection, DirectiveHeader, Envelope, Listener } from '../ports/transport.js';
import type { Directive, WorkerReady } from '../protocol/directives.js';
import { readGreeting } from '../protocol/read-directive.js';
import { AnnouncedRuns, type AnnouncedRunInfo } from './announced-runs.js';
import { commonProtocol, sendQuietly } from './handshake.js';
import { Heartbeats, type HeartbeatLimits } from './heartbeats.js';
import { IdleWait } from './idle-wait.js';
import { Inspection } from './inspection.js';
import { workerInfo } from './listing.js';
import type { WorkerInfo } from '../model/cluster-info.js';
import { NodeSession } from './node-session.js';
import { RoutineRecords } from './routine-records.js';
import { RunLedger } from './run-ledger.js';
import type { WorkerEntry } from './worker-entry.js';
import { WorkerTable } from './worker-table.js';
import { dropBody, type Body } from '../model/body.js';

/** What a service is made of. @public */
export interface ServiceParts {
  /** Name of the service in events. */
  readonly name: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly feed: EventFeed<EngineEvent>;
  readonly heartbeat?: HeartbeatLimits;
  /** How many runs may wait for a worker; a request beyond them fails with `QUEUE_FULL`. Default {@link LIMITS}.queuedRuns. */
  readonly queuedRuns?: number;
}

/** How much a service has in hand. @public */
export interface ServiceCounts {
  /** Runs that are accepted and not answered; those that wait are among them. */
  readonly runs: number;
  /** Runs that wait for a worker. */
  readonly waiting: number;
  /** Runs that are answered, but whose requesters have not acknowledged it. */
  readonly unacknowledged: number;
  readonly workers: number;
}

/** Accepts directives, finds a worker for each requested run, and forwards what comes back. @public */
export class Service {
  readonly #parts: ServiceParts;
  readonly #workers = new WorkerTable();
  readonly #records = new RoutineRecords();
  readonly #ledger: RunLedger;
  readonly #inspection: Inspection;
  readonly #heartbeats: Heartbeats;
  readonly #listeners: Listener[] = [];
  readonly #subscriptions = new Set<Subscription>();
  readonly #idle: IdleWait;
  readonly #announced = new AnnouncedRuns();
  #closing = false;

  constructor(parts: ServiceParts) {
    const { clock, logger, heartbeat, queuedRuns = LIMITS.queuedRuns } = parts;
    this.#parts = parts;
    this.#ledger = new RunLedger({
      ...{ clock, logger, workers: this.#workers, records: this.#records, queuedRuns },
      onQueue: (waiting) => this.#tellQueue(waiting),
      onFewer: () => this.#idle.check(),
    });
    this.#idle = new IdleWait({ clock, isIdle: () => this.#ledger.isIdle });
    this.#inspection = new Inspection({
      ledger: this.#ledger,
      workers: this.#workers,
      records: this.#records,
      announced: this.#announced,
    });
    this.#heartbeats = new Heartbeats({
      clock,
      limits: heartbeat ?? {},
      workers: () => this.#workers.all,
      onSuspect: (worker) => this.#setStatus(worker, 'UNRESPONSIVE'),
      onLost: (worker) => void worker.node.session.connection.close('heartbeat overdue'),
    });
  }

  /** Record ids (`tdb:...`, `wfdb:...`) and the full routine ids that they were given to. */
  get routines(): ReadonlyMap<string, string> {
    return this.#records.all;
  }

  /** The workers that are connected, in the order of their coming. A snapshot. */
  get workers(): readonly WorkerInfo[] {
    return [...this.#workers.all].map(workerInfo);
  }

  /** Runs that nodes execute by themselves, such as those that scripts start. A snapshot. */
  get announcedRuns(): readonly AnnouncedRunInfo[] {
    return this.#announced.all;
  }

  /** Runs that are accepted and not over. */
  get runsInHand(): number {
    return this.#ledger.size;
  }

  /**
   * Resolves when no run is in hand and every outcome has arrived, or when that many milliseconds have passed. Runs of
   * triggers outlive whoever requested them, so a service that is to close may have some left.
   */
  whenIdle(withinMs: number): Promise<void> {
    return this.#idle.wait(withinMs);
  }

  /** What it has in hand: all of it is over when nothing goes on. */
  get counts(): ServiceCounts {
    const { size: runs, unacknowledged, placement } = this.#ledger;
    return { runs, waiting: placement.queue.size, unacknowledged, workers: this.#workers.size };
  }

  /** Takes nodes from a listener, until `close`. */
  serve(listener: Listener): void {
    if (this.#listeners.length === 0) this.#heartbeats.start();
    this.#listeners.push(listener);
    this.#subscriptions.add(listener.connections$.subscribe((connection) => this.#greet(connection)));
  }

  /** Takes no more nodes and closes every connection. Runs in hand end with their connections. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#heartbeats.stop();
    this.#ledger.placement.close();
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #greet(connection: Connection): void {
    const { clock, logger } = this.#parts;
    let node: NodeSession | undefined;
    const late = clock.after(LIMITS.handshakeMs, () => void connection.close('no hello came'));
    const subscription = new Subscription();
    this.#subscriptions.add(subscription);
    subscription.add(
      connection.inbound$.subscribe({
        next: (envelope) => {
          try {
            if (node) return this.#receive(node, envelope);
            late.cancel();
            node = this.#admit(connection, envelope);
          } catch (error) {
            logger.log(
              'warn',
              `${node?.name ?? connection.peer} sent what can't be read; its connection closes`,
              { error },
            );
            if (!node) this.#refuse(connection, error as Error);
            void connection.close('malformed');
          }
        },
        complete: () => {
          late.cancel();
          this.#subscriptions.delete(subscription);
          if (node) this.#nodeLost(node);
        },
      }),
    );
  }

  #admit(connection: Connection, envelope: Envelope): NodeSession {
    const { ids, name } = this.#parts;
    dropBody(envelope.body);
    const hello = readGreeting(envelope.header);
    if (hello.type !== 'hello') {
      throw new RoutineEngineError(
        'PROTOCOL_MALFORMED',
        `A connection began with ${hello.type}, not with hello`,
      );
    }
    if (connection.roles && !connection.roles.includes(hello.role)) {
      throw new RoutineEngineError(
        'TRANSPORT_REFUSED',
        `${hello.name} greeted as a ${hello.role}; its credentials are for ${connection.roles.join(', ') || 'nothing'}`,
      );
    }
    const protocol = commonProtocol(hello);
    const node = new NodeSession(ids.next(), hello, connection, this.#parts);
    const welcome = { type: 'welcome', protocol, session: node.session.id, service: name };
    sendQuietly(connection, welcome, this.#parts.logger);
    return node;
  }

  #refuse(connection: Connection, error: Error): void {
    const refused: DirectiveHeader = { type: 'refused', error: toPlainError(error) };
    sendQuietly(connection, refused, this.#parts.logger);
  }

  #receive(node: NodeSession, envelope: Envelope): void {
    const directive = node.session.receive(envelope);
    if (directive) this.#handle(node, directive, envelope.body);
  }

  #handle(node: NodeSession, directive: Directive, body: Body | undefined): void {
    switch (directive.type) {
      case 'v1.routine.request_start':
        return body && this.#ledger.request(node, directive, body);
      case 'v1.routine.cancel':
        return this.#ledger.cancel(node, directive);
      case 'v1.routine.starting':
      case 'v1.routine.progress':
      case 'v1.log':
        return this.#ledger.report(node, directive);
      case 'v1.routine.completed':
        return this.#ledger.completed(node, directive, body);
      case 'v1.routine.hanging':
        return this.#ledger.hangs(node, directive);
      case 'v1.routine.failed':
        return this.#ledger.failed(node, directive);
      case 'v1.routine.ack':
        return this.#ledger.acknowledged(node, directive);
      case 'v1.run.announced':
        return this.#announced.take(node, directive);
      case 'v1.service.ask':
        return this.#inspection.answer(node, directive);
      case 'v1.worker.ready':
        return this.#ready(node, directive);
      case 'v1.worker.draining':
        return this.#with(node, (worker) => this.#drain(worker));
      case 'v1.heartbeat.give_pulse':
        return this.#with(node, (worker) => this.#pulse(worker));
      default:
        throw new RoutineEngineError(
          'PROTOCOL_MALFORMED',
          `A ${node.role} does not send ${directive.type} to the service`,
        );
    }
  }

  #ready(node: NodeSession, ready: WorkerReady): void {
    if (node.role !== 'worker') {
      throw new RoutineEngineError(
        'PROTOCOL_MALFORMED',
        `${node.name} greeted as a client and registers as a worker`,
      );
    }
    if (this.#workers.get(node))
      throw new RoutineEngineError('PROTOCOL_MALFORMED', `${node.name} registered twice`);
    const routines = new Map(ready.routines.map((routine) => [routine.routineId, routine]));
    const { inbox, store, labels } = ready;
    const [slots, acceptsWork] = [Math.max(1, ready.slots), ready.acceptsWork !== false];
    const offer = { node, routines, slots, inbox, store, labels, acceptsWork };
    this.#workers.add(offer, this.#parts.clock.monotonic());
    for (const { routineId } of ready.routines) this.#records.register(routineId);
    this.#ledger.placement.fill();
  }

  #drain(worker: WorkerEntry): void {
    this.#setStatus(worker, 'TERMINATING');
    this.#ledger.placement.fill();
  }

  #pulse(worker: WorkerEntry): void {
    worker.lastPulseAt = this.#parts.clock.monotonic();
    worker.refusing = false;
    if (worker.status === 'UNRESPONSIVE') {
      const running = worker.runs.size - worker.hanging;
      this.#setStatus(worker, statusOfCounts({ running, hanging: worker.hanging }));
    }
    this.#ledger.placement.fill();
  }

  #nodeLost(node: NodeSession): void {
    node.isGone = true;
    this.#announced.nodeLost(node);
    const error = new RoutineEngineError('WORKER_LOST', `The connection of ${node.name} is gone`);
    this.#with(node, (worker) => {
      this.#workers.remove(worker);
      this.#setStatus(worker, 'CLOSED');
      if (!this.#closing) this.#ledger.workerLost(worker, error);
    });
    if (!this.#closing) this.#ledger.requesterLost(node, error);
  }

  #with(node: NodeSession, act: (worker: WorkerEntry) => void): void {
    const worker = this.#workers.get(node);
    if (worker) act(worker);
  }

  #setStatus(worker: WorkerEntry, status: ServiceWorkerStatus): void {
    const ends = worker.status === 'TERMINATING' && status !== 'CLOSED';
    if (worker.status === status || ends) return;
    worker.status = status;
    const { feed, clock, name } = this.#parts;
    if (!feed.observed) return;
    const { hanging } = worker;
    const running = worker.runs.size - hanging;
    feed.emit({
      type: 'worker.status',
      at: clock.now(),
      node: name,
      worker: worker.node.name,
      status,
      running,
      hanging,
    });
  }

  #tellQueue(waiting: number): void {
    const { feed, clock, name } = this.#parts;
    if (feed.observed) feed.emit({ type: 'service.queue', at: clock.now(), node: name, waiting });
  }
}
