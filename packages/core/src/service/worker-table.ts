import type { Labels } from '../model/labels.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import { runningMean } from '../model/running-mean.js';
import type { ServiceWorkerStatus } from '../model/statuses.js';
import type { NodeSession } from './node-session.js';
import type { RunRecord } from './run-record.js';

/** A worker as the service knows it. */
export interface WorkerEntry {
  readonly node: NodeSession;
  readonly routines: ReadonlyMap<string, OfferedRoutine>;
  readonly slots: number;
  readonly inbox: number;
  /** Identity of the store that it shares with other nodes. */
  readonly store: string | undefined;
  readonly labels: Labels | undefined;
  readonly runs: Set<RunRecord>;
  /** How many of `runs` hang. */
  hanging: number;
  status: ServiceWorkerStatus;
  /** When its last pulse came, by the monotonic clock. */
  lastPulseAt: number;
  /** It said WORKER_BUSY: nothing more until one of its runs ends or hangs, or its next pulse. */
  refusing: boolean;
  /** How long the runs that compute or wait to are expected to take together, in milliseconds. */
  backlogMs: number;
  /** Running mean of how long runs of a routine take here, in milliseconds. */
  readonly meanMs: Map<string, number>;
}

/** Longest duration that is believed, about 11 days: a worker may say anything. */
const LONGEST_MS = 1e9;

/** The workers that are connected, and what each can run. */
export class WorkerTable {
  readonly #workers = new Map<NodeSession, WorkerEntry>();
  /** Full routine id -> workers that offer it, in the order of their coming. */
  readonly #capable = new Map<string, WorkerEntry[]>();

  get all(): IterableIterator<WorkerEntry> {
    return this.#workers.values();
  }

  get size(): number {
    return this.#workers.size;
  }

  get(node: NodeSession): WorkerEntry | undefined {
    return this.#workers.get(node);
  }

  add(entry: WorkerEntry): void {
    this.#workers.set(entry.node, entry);
    for (const routineId of entry.routines.keys()) {
      const others = this.#capable.get(routineId);
      if (others) others.push(entry);
      else this.#capable.set(routineId, [entry]);
    }
  }

  remove(entry: WorkerEntry): void {
    this.#workers.delete(entry.node);
    for (const routineId of entry.routines.keys()) {
      const rest = this.#capable.get(routineId)?.filter((other) => other !== entry) ?? [];
      if (rest.length > 0) this.#capable.set(routineId, rest);
      else this.#capable.delete(routineId);
    }
  }

  /** Workers that offer a routine in exactly that version. */
  capableOf(routineId: string): readonly WorkerEntry[] {
    return this.#capable.get(routineId) ?? [];
  }

  /** Full ids of everything that is offered. */
  get offered(): IterableIterator<string> {
    return this.#capable.keys();
  }
}

/** Takes a run's duration into the running mean of its routine. */
export function learnDuration(worker: WorkerEntry, routineId: string, durationMs: number): void {
  const believed = Math.min(Math.max(durationMs, 0), LONGEST_MS);
  worker.meanMs.set(routineId, runningMean(worker.meanMs.get(routineId), believed));
}
