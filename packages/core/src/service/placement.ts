import { fromPlainError } from '../errors/error-conversion.js';
import type { PlainError } from '../errors/plain-error.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { dropBody } from '../model/body.js';
import { hasLabels } from '../model/labels.js';
import { LIMITS } from '../model/limits.js';
import {
  formatRoutineId,
  matchesRoutineId,
  parseRoutineId,
  type NamedRoutineId,
} from '../model/routine-id.js';
import type { Clock } from '../ports/clock.js';
import type { RunHeader } from '../protocol/directives.js';
import { isStreaming } from '../protocol/watched-body.js';
import { expectedMs, match } from './matchmaker.js';
import { RunQueue } from './run-queue.js';
import { executionOf, type RunRecord } from './run-record.js';
import type { WorkerEntry, WorkerTable } from './worker-table.js';

interface PlacementParts {
  readonly workers: WorkerTable;
  readonly clock: Clock;
  /** The queue became empty, or is no longer empty. */
  readonly onQueue: (waiting: number) => void;
  /** A run that is wanted no more is not placed again. */
  readonly onCancelled: (record: RunRecord, error: PlainError) => void;
  /** A run can't be placed any more. */
  readonly onFailed: (record: RunRecord, error: Error) => void;
}

/** Puts runs on workers, keeps those that wait, and takes them back from workers that are lost. */
export class Placement {
  readonly queue = new RunQueue();
  readonly #parts: PlacementParts;
  /** Runs that a worker holds, by their lease. */
  readonly #placed = new Map<number, RunRecord>();
  /**
   * Grows with every placement of any run, so that no two ever hold the same lease: also from one start of the service to
   * the next, since it places less than a thousand runs in a millisecond.
   */
  #lease: number;
  #closed = false;

  constructor(parts: PlacementParts) {
    this.#parts = parts;
    this.#lease = Math.max(0, Math.floor(parts.clock.now())) * 1_000;
  }

  /** The run that holds a lease now. */
  holderOf(lease: number): RunRecord | undefined {
    return this.#placed.get(lease);
  }

  /** Takes a run: to a worker at once, else into the queue. One without its arguments is held until they come again. */
  accept(record: RunRecord): void {
    if (!record.body) return this.#ask(record, 'again');
    // Whoever waits already for the same workers comes first.
    if (!this.queue.holdsLike(record) && this.#settle(record)) return;
    this.#enqueue(record);
  }

  /** Gives waiting runs to workers that have become free. */
  fill(): void {
    while (this.queue.heads.some((head) => this.#settle(head)));
  }

  /** Lets nothing wait any more, also not what still comes. */
  close(): void {
    this.#closed = true;
    for (const record of this.queue) record.queueTimer?.cancel();
  }

  /** Takes a run off its worker: it is over, or goes elsewhere. */
  release(record: RunRecord): void {
    const { worker } = record;
    if (!worker) return;
    this.#placed.delete(record.lease);
    worker.runs.delete(record);
    if (record.hanging) worker.hanging -= 1;
    else worker.backlogMs -= record.expectedMs;
    // So that rounding never adds up.
    if (worker.runs.size === worker.hanging) worker.backlogMs = 0;
    worker.refusing = false;
    record.hanging = false;
    record.started = false;
    record.worker = undefined;
    record.executedAs = undefined;
    record.delivery = undefined;
  }

  /** Binds a run to an execution of it, or of an equal call, that a worker has in hand already. */
  bind(record: RunRecord, worker: WorkerEntry, { runId, attempt, lease }: RunHeader): void {
    record.executedAs = runId === record.request.runId ? undefined : runId;
    record.attempt = attempt;
    record.lease = lease;
    this.#hold(record, worker);
  }

  /** Has one run take the place of another, which its worker executes. */
  transfer(from: RunRecord, to: RunRecord): void {
    const { worker, started, hanging, downfalls } = from;
    if (!worker) return;
    const execution = executionOf(from);
    this.release(from);
    this.bind(to, worker, execution);
    to.started = started;
    to.downfalls = downfalls;
    this.setHanging(to, hanging);
  }

  /** Takes a run out of the queue. @returns whether it waited. */
  withdraw(record: RunRecord): boolean {
    const waited = this.queue.remove(record);
    record.queueTimer?.cancel();
    if (waited && this.queue.size === 0) this.#parts.onQueue(0);
    return waited;
  }

  setHanging(record: RunRecord, waits: boolean): void {
    if (!record.worker || record.hanging === waits) return;
    record.hanging = waits;
    record.worker.hanging += waits ? 1 : -1;
    record.worker.backlogMs += waits ? -record.expectedMs : record.expectedMs;
    if (waits) record.worker.refusing = false;
  }

  /**
   * Places a run elsewhere after its attempt came to nothing.
   * @param downfall - whether the run may have brought its worker down; after `maxDeliveries` of those it is poisoned.
   */
  again(record: RunRecord, error: PlainError, downfall: boolean): void {
    this.release(record);
    if (record.cancelled) return this.#parts.onCancelled(record, record.cancelled);
    if (downfall) record.downfalls += 1;
    if (record.downfalls >= LIMITS.maxDeliveries) {
      const { routineId } = record.request;
      const message = `${routineId} was given to ${record.downfalls} workers, and each was lost while it held it`;
      this.#parts.onFailed(
        record,
        new RoutineEngineError('RUN_POISONED', message, { cause: fromPlainError(error) }),
      );
      return;
    }
    this.#tellWaiting(record, error.message, error);
    this.accept(record);
  }

  /** Places a run, or has its arguments sent inline. @returns whether it waits for a worker no more. */
  #settle(record: RunRecord): boolean {
    const { routineId, blobs, store, labels } = record.request;
    const offering = this.#parts.workers.capableOf(routineId);
    const capable = labels ? offering.filter((worker) => hasLabels(worker.labels, labels)) : offering;
    const reaching = blobs ? capable.filter((worker) => worker.store === store) : capable;
    const worker = match(reaching, routineId);
    if (worker) {
      this.#place(record, worker);
      return true;
    }
    if (!blobs || reaching.some(isStaying) || !capable.some(isStaying)) return false;
    this.withdraw(record);
    this.#ask(record, 'inline');
    return true;
  }

  #place(record: RunRecord, worker: WorkerEntry): void {
    this.withdraw(record);
    this.#lease += 1;
    record.lease = this.#lease;
    record.attempt += 1;
    this.#hold(record, worker);
    const { body } = record;
    // What streams goes to this worker, and is kept nowhere.
    if (body && isStreaming(body)) record.body = undefined;
    const { attempt, lease } = record;
    worker.node.post({ ...record.request, attempt, lease }, body, (error) =>
      this.#refused(record, lease, error),
    );
  }

  #hold(record: RunRecord, worker: WorkerEntry): void {
    this.#placed.set(record.lease, record);
    record.worker = worker;
    worker.runs.add(record);
    record.expectedMs = expectedMs(worker, record.request.routineId);
    worker.backlogMs += record.expectedMs;
  }

  /** A worker can't even be told of a run: no other could. */
  #refused(record: RunRecord, lease: number, error: Error): void {
    if (!record.worker || record.lease !== lease) return;
    this.release(record);
    this.#parts.onFailed(record, error);
    // Not here: this may be in the middle of filling.
    queueMicrotask(() => this.fill());
  }

  /** Has the requester send the arguments again; the run is held until they come. */
  #ask(record: RunRecord, asked: 'again' | 'inline'): void {
    dropBody(record.body);
    record.body = undefined;
    record.asked = asked;
    record.requester.post({
      type: 'v1.routine.resend',
      ...{ runId: record.request.runId, attempt: record.attempt + 1, lease: 0 },
      inline: asked === 'inline',
    });
  }

  #enqueue(record: RunRecord): void {
    const { clock, onQueue, workers } = this.#parts;
    this.queue.add(record);
    if (this.queue.size === 1) onQueue(1);
    const { queueTimeoutMs, routineId } = record.request;
    if (queueTimeoutMs !== undefined && !this.#closed) {
      record.queueTimer = clock.after(queueTimeoutMs, () => this.#timeOut(record, queueTimeoutMs));
    }
    if (workers.capableOf(routineId).length > 0 || record.told) return;
    record.told = true;
    this.#tellWaiting(record, this.#whyNobody(routineId));
  }

  #timeOut(record: RunRecord, queueTimeoutMs: number): void {
    if (!this.withdraw(record)) return;
    const { routineId } = record.request;
    const capable = this.#parts.workers.capableOf(routineId).length;
    const why =
      capable > 0 ? `the ${capable} workers that offer it had no free slot` : this.#whyNobody(routineId);
    const message = `${routineId} waited ${queueTimeoutMs} ms for a worker: ${why}`;
    this.#parts.onFailed(record, new RoutineEngineError('QUEUE_TIMEOUT', message));
  }

  #whyNobody(routineId: string): string {
    const { workers } = this.#parts;
    if (workers.size === 0) return 'no worker is connected';
    const id = parseRoutineId(routineId);
    if (id.form === 'record') return `no routine has the record id ${routineId}`;
    const { version: _, ...anyVersion } = id;
    const others = [...workers.offered].filter((offer) =>
      matchesRoutineId(anyVersion, parseRoutineId(offer) as NamedRoutineId),
    );
    return others.length > 0
      ? `no worker offers ${routineId}; workers offer ${others.slice(0, 10).join(', ')}`
      : `no worker offers a ${id.kind} ${formatRoutineId(anyVersion)}`;
  }

  #tellWaiting(record: RunRecord, detail: string, error?: PlainError): void {
    const { runId } = record.request;
    // The attempt that is to come: the one that failed is over.
    const attempt = record.attempt + 1;
    record.requester.post({
      type: 'v1.routine.waiting',
      ...{ runId, attempt, lease: 0, detail: detail.slice(0, 1_900) },
      ...(error && { error }),
    });
  }
}

/** A worker that is suspect may come back; one that drains takes nothing any more. */
function isStaying({ status }: WorkerEntry): boolean {
  return status !== 'TERMINATING';
}
