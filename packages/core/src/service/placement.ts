import { fromPlainError } from '../errors/error-conversion.js';
import type { PlainError } from '../errors/plain-error.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { LIMITS } from '../model/limits.js';
import type { Clock } from '../ports/clock.js';
import type { RequestStart, RunHeader } from '../protocol/directives.js';
import { requestFor } from '../protocol/forwarded.js';
import { isStreaming } from '../protocol/watched-body.js';
import { earlier, type Lane } from './lane.js';
import { Leases } from './leases.js';
import { Holdings } from './holdings.js';
import { expectedMs, match, matchOther, takes } from './matchmaker.js';
import { Resends } from './resends.js';
import type { RunKind } from './run-kind.js';
import { RunKinds } from './run-kinds.js';
import { bytesOf, RunQueue, runsOf } from './run-queue.js';
import { executionOf, type RunRecord } from './run-record.js';
import { dropStreaming } from './shared-runs.js';
import type { WorkerEntry } from './worker-entry.js';
import { unreadable, whyNobody, workersOf } from './why-nobody.js';
import type { WorkerTable } from './worker-table.js';

interface PlacementParts {
  readonly workers: WorkerTable;
  readonly clock: Clock;
  /** How many runs may wait. */
  readonly queuedRuns: number;
  /** How many workers one run may bring down. */
  readonly maxDeliveries: number;
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
  readonly holdings: Holdings;
  readonly #parts: PlacementParts;
  readonly #kinds: RunKinds;
  /** Runs that a worker holds, by their lease. */
  readonly #placed = new Map<number, RunRecord>();
  readonly leases: Leases;
  readonly resends: Resends;
  #closed = false;

  constructor(parts: PlacementParts) {
    this.#parts = parts;
    this.holdings = new Holdings(parts.workers);
    this.#kinds = new RunKinds((kind) => parts.workers.detach(kind));
    this.leases = new Leases(parts.clock);
    this.resends = new Resends(parts.clock, parts.onFailed);
  }

  /** The run that holds a lease now. */
  holderOf(lease: number): RunRecord | undefined {
    return this.#placed.get(lease);
  }

  /** Takes a run: to a worker at once, else into the queue. One without its arguments is held until they come again. */
  accept(record: RunRecord): void {
    if (!record.body) return this.resends.ask(record, 'again');
    if (record.turn === 0) record.turn = this.queue.nextTurn();
    const kind = this.#kinds.of(record.request);
    this.#parts.workers.attach(kind);
    // While runs of its kind wait no worker can take any.
    const worker = kind.waiting === 0 ? this.#match(kind, record.request) : undefined;
    const lacking = worker ? undefined : this.#parts.workers.lacking(kind);
    if (worker) this.#place(record, worker);
    else if (lacking) this.#parts.onFailed(record, unreadable(kind, lacking));
    else if (this.#isToComeInline(kind)) this.resends.ask(record, 'inline');
    else this.#enqueue(record, kind);
    this.#kinds.release(kind);
  }

  /** Gives waiting runs to workers that can take more by now. */
  fill(): void {
    const { workers } = this.#parts;
    const { workers: grown, isReachChanged } = workers.takeGrown();
    if (this.queue.size === 0) return;
    if (isReachChanged) this.#reach();
    for (const worker of grown) this.#fill(worker);
  }

  /** Takes a run that follows an equal one, which must not wait as one that is in less of a hurry. */
  follow(record: RunRecord): void {
    dropStreaming(record);
    const { leader, request } = record;
    const priority = request.priority ?? 0;
    if (!leader?.line || (leader.request.priority ?? 0) >= priority) return;
    const { kind } = leader.line.lane;
    this.queue.remove(leader);
    leader.request = { ...leader.request, priority };
    this.queue.add(leader, kind);
  }

  /** Lets nothing wait any more, also not what still comes. */
  close(): void {
    this.#closed = true;
    this.resends.close();
    for (const record of this.queue) record.queueTimer?.cancel();
  }

  /** Takes a run off its worker: it is over, or goes elsewhere. */
  release(record: RunRecord): void {
    const { worker } = record;
    if (!worker) return;
    this.#placed.delete(record.lease);
    worker.drop(record);
    record.hanging = false;
    record.started = false;
    record.worker = undefined;
    record.executedAs = undefined;
    record.delivery = undefined;
  }

  /** Gives a run to another worker than one, if there is one with a free slot. @returns whether there is. */
  second(record: RunRecord, other: WorkerEntry): boolean {
    const kind = this.#kinds.of(record.request);
    this.#parts.workers.attach(kind);
    const worker = matchOther(kind.pools, other);
    this.#kinds.release(kind);
    if (worker) this.#give(record, worker);
    return worker !== undefined;
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

  /** Has a run wait no more, for a worker or for its arguments. */
  withdraw(record: RunRecord): void {
    const kind = record.line?.lane.kind;
    this.queue.remove(record);
    this.#leftQueue(record, kind);
    this.resends.forget(record);
  }

  setHanging(record: RunRecord, waits: boolean): void {
    if (!record.worker || record.hanging === waits) return;
    record.hanging = waits;
    record.worker.setHanging(record, waits);
  }

  /**
   * Places a run elsewhere after its attempt came to nothing.
   * @param how - `downfall`: it may have brought its worker down; after `maxDeliveries` of those it is poisoned. `lost`: its
   *   worker gave it back and is still there; after `maxLosses` of those it fails.
   */
  again(record: RunRecord, error: PlainError, how: 'downfall' | 'lost' | 'blameless'): void {
    this.release(record);
    if (record.cancelled) return this.#parts.onCancelled(record, record.cancelled);
    if (how === 'downfall') record.downfalls += 1;
    if (how === 'lost') record.losses += 1;
    if (record.losses > LIMITS.maxLosses) {
      const message = `${record.request.routineId} was lost ${record.losses} times by workers that went on`;
      const lost = new RoutineEngineError('WORKER_LOST', message, { cause: fromPlainError(error) });
      return this.#parts.onFailed(record, lost);
    }
    if (record.downfalls >= this.#parts.maxDeliveries) {
      const { routineId } = record.request;
      const message = `${routineId} was given to ${record.downfalls} workers, and each was lost while it held it`;
      const poisoned = new RoutineEngineError('RUN_POISONED', message, { cause: fromPlainError(error) });
      return this.#parts.onFailed(record, poisoned);
    }
    this.#tellWaiting(record, error.message, error);
    this.accept(record);
  }

  #match({ pools, routineId }: RunKind, request: RequestStart): WorkerEntry | undefined {
    return this.holdings.nearest(pools, request) ?? match(pools, routineId);
  }

  /** Gives a worker what goes first, until it takes no more. */
  #fill(worker: WorkerEntry): void {
    for (let next = this.#nextFor(worker); next; next = this.#nextFor(worker)) this.#place(next, worker);
  }

  #nextFor(worker: WorkerEntry): RunRecord | undefined {
    let best: Lane | undefined;
    for (const { pool } of worker.memberships)
      for (const kind of pool.waiting) if (takes(worker, kind.routineId)) best = earlier(best, kind.first);
    return best?.head;
  }

  /** Workers came, went or drain: what waits for them finds them again, or is sent whole for others. */
  #reach(): void {
    for (const kind of [...this.queue.kinds]) {
      this.#parts.workers.attach(kind);
      if (!this.#isToComeInline(kind)) continue;
      for (const record of [...runsOf(kind)]) {
        this.withdraw(record);
        this.resends.ask(record, 'inline');
      }
    }
  }

  /** Whether no worker has the store that parts of the arguments lie in, and another can run the routine. */
  #isToComeInline(kind: RunKind): boolean {
    const { workers } = this.#parts;
    return kind.store !== undefined && !workers.canReach(kind) && workers.canReach(kind, true);
  }

  #leftQueue(record: RunRecord, kind: RunKind | undefined): void {
    record.queueTimer?.cancel();
    if (!kind) return;
    if (this.queue.size === 0) this.#parts.onQueue(0);
    this.#kinds.release(kind);
  }

  #place(record: RunRecord, worker: WorkerEntry): void {
    const kind = record.line?.lane.kind;
    this.queue.serve(record);
    this.#leftQueue(record, kind);
    this.#give(record, worker);
  }

  #give(record: RunRecord, worker: WorkerEntry): void {
    record.lease = this.leases.next();
    record.attempt += 1;
    this.#hold(record, worker);
    this.holdings.given(worker, record.request);
    const { body } = record;
    // What streams goes to this worker, and is kept nowhere.
    if (body && isStreaming(body)) record.body = undefined;
    const { attempt, lease } = record;
    const directive = requestFor(record.request, attempt, lease);
    worker.node.post(directive, body, (error) => this.#refused(record, lease, error));
  }

  #hold(record: RunRecord, worker: WorkerEntry): void {
    this.#placed.set(record.lease, record);
    record.worker = worker;
    record.expectedMs = expectedMs(worker, record.request.routineId);
    worker.hold(record);
  }

  /** A worker can't even be told of a run: no other could. */
  #refused(record: RunRecord, lease: number, error: Error): void {
    if (!record.worker || record.lease !== lease) return;
    this.release(record);
    this.#parts.onFailed(record, error);
    // Not here: this may be in the middle of filling.
    queueMicrotask(() => this.fill());
  }

  #enqueue(record: RunRecord, kind: RunKind): void {
    const { clock, onQueue } = this.#parts;
    // What had a worker before was taken in, too.
    const full = record.lease === 0 && !record.isTakenIn ? this.#whyFull(record) : undefined;
    if (full) return this.#parts.onFailed(record, full);
    this.queue.add(record, kind);
    if (this.queue.size === 1) onQueue(1);
    const { queueTimeoutMs } = record.request;
    if (queueTimeoutMs !== undefined && !this.#closed) {
      record.queueTimer = clock.after(queueTimeoutMs, () => this.#timeOut(record, queueTimeoutMs));
    }
    if (record.told || workersOf(kind) > 0) return;
    record.told = true;
    this.#tellWaiting(record, this.#whyNobody(kind));
  }

  #whyFull(record: RunRecord): RoutineEngineError | undefined {
    const { size, byteLength } = this.queue;
    const byCount = size >= this.#parts.queuedRuns;
    if (!byCount && byteLength + bytesOf(record) <= LIMITS.queuedBytes) return undefined;
    const keeps = byCount ? 'queuedRuns' : `queuedBytes, with ${byteLength} bytes of arguments`;
    const message = `${record.request.routineId} can't wait for a worker: ${size} runs wait already, which is all that the service keeps (${keeps})`;
    return new RoutineEngineError('QUEUE_FULL', message);
  }

  #timeOut(record: RunRecord, queueTimeoutMs: number): void {
    const kind = record.line?.lane.kind;
    if (!kind) return;
    this.withdraw(record);
    const capable = workersOf(kind);
    const why = capable > 0 ? `the ${capable} workers that offer it had no free slot` : this.#whyNobody(kind);
    const message = `${kind.routineId} waited ${queueTimeoutMs} ms for a worker: ${why}`;
    this.#parts.onFailed(record, new RoutineEngineError('QUEUE_TIMEOUT', message));
  }

  /** Found once for all that wait, as long as nothing has changed. */
  #whyNobody(kind: RunKind): string {
    const { workers } = this.#parts;
    if (kind.nobody?.version !== workers.version)
      kind.nobody = { version: workers.version, why: whyNobody(kind, workers) };
    return kind.nobody.why;
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
