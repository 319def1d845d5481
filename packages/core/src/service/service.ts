import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EngineEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import type { Body } from '../model/body.js';
import { LIMITS } from '../model/limits.js';
import { statusOfCounts, type ServiceWorkerStatus } from '../model/statuses.js';
import type { Clock } from '../ports/clock.js';
import type { Ids } from '../ports/ids.js';
import type { Logger } from '../ports/logger.js';
import type { WorkerInfo } from '../model/cluster-info.js';
import type { Listener } from '../ports/transport.js';
import type { Directive, WorkerHolds, WorkerReady } from '../protocol/directives.js';
import { AnnouncedRuns, type AnnouncedRunInfo } from './announced-runs.js';
import { heartbeatLimits, Heartbeats, type HeartbeatLimits } from './heartbeats.js';
import { IdleWait } from './idle-wait.js';
import { Inspection } from './inspection.js';
import { workerInfo } from './listing.js';
import type { NodeSession } from './node-session.js';
import { Reception } from './reception.js';
import { RoutineRecords } from './routine-records.js';
import { RunLedger } from './run-ledger.js';
import type { WorkerEntry } from './worker-entry.js';
import { WorkerTable } from './worker-table.js';

/** Most runs that one worker may say it holds. */
const MOST_HOLDS = 1_000_000;

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
  /**
   * How many workers one run may bring down before it fails as `RUN_POISONED`. More where workers go for reasons of their own,
   * as machines do that may be taken away at any time. Default {@link LIMITS}.maxDeliveries.
   */
  readonly maxDeliveries?: number;
  /** Name of the codec that its nodes must have, such as `msgpackr-1`. Default: that of whoever is connected first. */
  readonly codec?: string;
}

/** How much a service has in hand. @public */
export interface ServiceCounts {
  /** Runs that are accepted and not answered; those that wait are among them. */
  readonly runs: number;
  /** Runs that wait for a worker. */
  readonly waiting: number;
  /** Runs that workers have in hand. */
  readonly placed: number;
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
  readonly #reception: Reception;
  readonly #idle: IdleWait;
  readonly #announced = new AnnouncedRuns();
  #isServing = false;

  constructor(parts: ServiceParts) {
    const { name, clock, ids, logger, heartbeat } = parts;
    const { queuedRuns = LIMITS.queuedRuns, maxDeliveries = LIMITS.maxDeliveries } = parts;
    this.#parts = parts;
    const limits = heartbeatLimits(heartbeat);
    this.#ledger = new RunLedger({
      ...{ clock, logger, limits, queuedRuns, maxDeliveries },
      ...{ workers: this.#workers, records: this.#records },
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
    this.#reception = new Reception({
      ...{ name, clock, ids, logger, limits, codec: parts.codec },
      onDirective: (node, directive, body) => this.#handle(node, directive, body),
      onAway: (node) => this.#away(node),
      onGone: (node) => this.#nodeLost(node),
      isMissed: (node) => this.#workers.get(node) !== undefined || this.#ledger.isRequester(node),
    });
    this.#heartbeats = new Heartbeats({
      clock,
      limits,
      nodes: () => this.#reception.nodes(),
      onSuspect: (node) => this.#suspect(node),
      onLost: (node) => this.#reception.dismiss(node, 'heartbeat overdue'),
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
    const { size: workers, placed } = this.#workers;
    return { runs, waiting: placement.queue.size, placed, unacknowledged, workers };
  }

  /** Takes nodes from a listener, until `close`. */
  serve(listener: Listener): void {
    if (!this.#isServing) this.#heartbeats.start();
    this.#isServing = true;
    this.#reception.serve(listener);
  }

  /**
   * Takes no more nodes and closes every connection. Nodes try to come back: to a service that is started anew at the same
   * address they tell what they hold and want, and their runs go on.
   */
  async close(): Promise<void> {
    this.#heartbeats.stop();
    this.#ledger.close();
    await this.#reception.close();
  }

  #handle(node: NodeSession, directive: Directive, body: Body | undefined): void {
    switch (directive.type) {
      case 'v1.routine.request_start':
        return this.#ledger.request(node, directive, body);
      case 'v1.routine.observe':
        return this.#ledger.observe(node, directive);
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
      case 'v1.node.resynced':
        return this.#ledger.resynced(node);
      case 'v1.worker.holds':
        return this.#holds(node, directive);
      case 'v1.worker.ready':
        return this.#ready(node, directive);
      case 'v1.worker.draining':
        return this.#with(node, (worker) => this.#drain(worker));
      case 'v1.heartbeat.give_pulse':
        return this.#pulse(node);
      default:
        throw new RoutineEngineError(
          'PROTOCOL_MALFORMED',
          `A ${node.role} does not send ${directive.type} to the service`,
        );
    }
  }

  /** @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED` for a node that is no worker, or is one already. */
  #assertMayRegister(node: NodeSession): void {
    const why = node.role !== 'worker' ? 'greeted as a client and registers as a worker' : 'registered twice';
    if (node.role !== 'worker' || node.isReady)
      throw new RoutineEngineError('PROTOCOL_MALFORMED', `${node.name} ${why}`);
  }

  #holds(node: NodeSession, { runs }: WorkerHolds): void {
    this.#assertMayRegister(node);
    if (node.holds.length + runs.length > MOST_HOLDS)
      throw new RoutineEngineError('PROTOCOL_MALFORMED', `${node.name} holds more than ${MOST_HOLDS} runs`);
    node.holds.push(...runs);
  }

  #ready(node: NodeSession, ready: WorkerReady): void {
    this.#assertMayRegister(node);
    node.isReady = true;
    const worker = this.#workers.get(node) ?? this.#register(node, ready);
    const { holds } = node;
    node.holds = [];
    this.#ledger.workerReady(worker, holds);
    this.#revive(worker);
  }

  #register(node: NodeSession, ready: WorkerReady): WorkerEntry {
    const routines = new Map(ready.routines.map((routine) => [routine.routineId, routine]));
    const { inbox, store, labels } = ready;
    const [slots, acceptsWork] = [Math.max(1, ready.slots), ready.acceptsWork !== false];
    const serializers = new Set(ready.serializers ?? node.hello.serializers);
    const offer = { node, routines, slots, inbox, store, labels, acceptsWork, serializers };
    const worker = this.#workers.add(offer);
    for (const { routineId } of ready.routines) this.#records.register(routineId);
    return worker;
  }

  #drain(worker: WorkerEntry): void {
    this.#setStatus(worker, 'TERMINATING');
    this.#ledger.placement.fill();
  }

  #pulse(node: NodeSession): void {
    node.lastPulseAt = this.#parts.clock.monotonic();
    if (!node.isReady) return;
    this.#with(node, (worker) => {
      worker.refusing = false;
      this.#revive(worker);
    });
  }

  /** A worker that was not heard of for a while is there again. */
  #revive(worker: WorkerEntry): void {
    if (worker.status === 'UNRESPONSIVE') {
      const running = worker.runs.size - worker.hanging;
      this.#setStatus(worker, statusOfCounts({ running, hanging: worker.hanging }));
    }
    this.#ledger.placement.fill();
  }

  #away(node: NodeSession): void {
    // It tells all of them again.
    this.#announced.nodeLost(node);
    this.#suspect(node);
  }

  #suspect(node: NodeSession): void {
    this.#with(node, (worker) => this.#setStatus(worker, 'UNRESPONSIVE'));
  }

  #nodeLost(node: NodeSession): void {
    this.#announced.nodeLost(node);
    const error = new RoutineEngineError(
      'WORKER_LOST',
      `${node.name} is gone, or was not heard of for too long`,
    );
    this.#with(node, (worker) => {
      this.#workers.remove(worker);
      this.#setStatus(worker, 'CLOSED');
      this.#ledger.workerLost(worker, error);
    });
    this.#ledger.requesterLost(node, error);
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
