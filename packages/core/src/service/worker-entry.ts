import type { Labels } from '../model/labels.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import { runningMean } from '../model/running-mean.js';
import type { ServiceWorkerStatus } from '../model/statuses.js';
import type { NodeSession } from './node-session.js';
import type { RunRecord } from './run-record.js';
import type { PoolMember } from './worker-pool.js';

/** Longest duration that is believed, about 11 days: a worker may say anything. */
const LONGEST_MS = 1e9;

/** What a worker said of itself. */
export interface WorkerOffer {
  readonly node: NodeSession;
  readonly routines: ReadonlyMap<string, OfferedRoutine>;
  readonly slots: number;
  readonly inbox: number;
  /** Identity of the store that it shares with other nodes. */
  readonly store: string | undefined;
  readonly labels: Labels | undefined;
  /** Keys of those that it can read arguments with. */
  readonly serializers: ReadonlySet<string>;
  /** `false`: it is only seen, and never given a run. */
  readonly acceptsWork: boolean;
}

/** Hears that a worker may take more than before, or less. */
export type OnWorkerChange = (worker: WorkerEntry, takesMore: boolean) => void;

/** A worker as the service knows it. What decides whether it takes runs changes through it, so that indexes follow. */
export class WorkerEntry implements WorkerOffer {
  readonly node: NodeSession;
  readonly routines: ReadonlyMap<string, OfferedRoutine>;
  readonly slots: number;
  readonly inbox: number;
  readonly store: string | undefined;
  readonly labels: Labels | undefined;
  readonly serializers: ReadonlySet<string>;
  readonly acceptsWork: boolean;
  /** Grows from worker to worker, in the order of their coming. */
  readonly number: number;
  readonly runs: Set<RunRecord> = new Set();
  /** The pools that it is in. */
  readonly memberships: PoolMember[] = [];
  /** Running mean of how long runs of a routine take here, in milliseconds. */
  readonly meanMs: Map<string, number> = new Map();
  readonly #onChange: OnWorkerChange;
  #status: ServiceWorkerStatus = 'IDLE';
  #refusing = false;
  #hanging = 0;
  #backlogMs = 0;

  constructor(offer: WorkerOffer, number: number, onChange: OnWorkerChange) {
    this.node = offer.node;
    this.routines = offer.routines;
    this.slots = offer.slots;
    this.inbox = offer.inbox;
    this.store = offer.store;
    this.labels = offer.labels;
    this.serializers = offer.serializers;
    this.acceptsWork = offer.acceptsWork;
    this.number = number;
    this.#onChange = onChange;
  }

  get status(): ServiceWorkerStatus {
    return this.#status;
  }

  set status(status: ServiceWorkerStatus) {
    if (this.#status === status) return;
    this.#status = status;
    this.#onChange(this, true);
  }

  /** It said WORKER_BUSY: nothing more until one of its runs ends or hangs, or its next pulse. */
  get refusing(): boolean {
    return this.#refusing;
  }

  set refusing(refusing: boolean) {
    if (this.#refusing === refusing) return;
    this.#refusing = refusing;
    this.#onChange(this, true);
  }

  /** How many of its runs hang. */
  get hanging(): number {
    return this.#hanging;
  }

  /** How many of its runs compute, or wait to. */
  get computing(): number {
    return this.runs.size - this.#hanging;
  }

  /** How long the runs that compute or wait to are expected to take together, in milliseconds. */
  get backlogMs(): number {
    return this.#backlogMs;
  }

  /** Takes one more run. */
  hold(record: RunRecord): void {
    this.runs.add(record);
    this.#backlogMs += record.expectedMs;
    this.#onChange(this, false);
  }

  /** Gives a run up. */
  drop(record: RunRecord): void {
    if (!this.runs.delete(record)) return;
    if (record.hanging) this.#hanging -= 1;
    else this.#backlogMs -= record.expectedMs;
    this.#settleBacklog();
    this.#refusing = false;
    this.#onChange(this, true);
  }

  /** One of its runs began to hang, or computes again. */
  setHanging(record: RunRecord, waits: boolean): void {
    this.#hanging += waits ? 1 : -1;
    this.#backlogMs += waits ? -record.expectedMs : record.expectedMs;
    this.#settleBacklog();
    if (waits) this.#refusing = false;
    this.#onChange(this, waits);
  }

  /** Takes a run's duration into the running mean of its routine. */
  learnDuration(routineId: string, durationMs: number): void {
    const believed = Math.min(Math.max(durationMs, 0), LONGEST_MS);
    this.meanMs.set(routineId, runningMean(this.meanMs.get(routineId), believed));
  }

  /** So that rounding never adds up. */
  #settleBacklog(): void {
    if (this.computing === 0) this.#backlogMs = 0;
  }
}
