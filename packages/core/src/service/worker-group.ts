import { hasLabels, labelsText, type Labels } from '../model/labels.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import { SetIndex } from './set-index.js';
import { staysOn, WorkerPool } from './worker-pool.js';
import type { WorkerEntry, WorkerOffer } from './worker-entry.js';

/** Workers that offer the same routines, share the same store and can read the same. */
export class WorkerGroup {
  readonly key: string;
  /** The same for all of its workers, which so cost the less. */
  readonly routines: ReadonlyMap<string, OfferedRoutine>;
  readonly store: string | undefined;
  readonly serializers: ReadonlySet<string>;
  readonly #all = new WorkerPool(undefined);
  /** Those that have labels that runs require. */
  readonly #labelled = new Map<string, WorkerPool>();
  /** `name=value` -> the workers with that label. */
  readonly #byLabel = new SetIndex<string, WorkerEntry>();

  /** @param key - tells it from other groups. */
  constructor(key: string, { routines, store, serializers }: WorkerOffer) {
    this.key = key;
    this.routines = routines;
    this.store = store;
    this.serializers = serializers;
  }

  /** Keys of serializers that its workers lack. */
  lacks(serializers: readonly string[]): readonly string[] {
    return serializers.filter((key) => !this.serializers.has(key));
  }

  get size(): number {
    return this.#all.size;
  }

  add(worker: WorkerEntry): void {
    for (const label of labelsOf(worker)) this.#byLabel.add(label, worker);
    this.#all.add(worker);
    for (const pool of this.#labelled.values()) if (hasLabels(worker.labels, pool.labels)) pool.add(worker);
  }

  remove(worker: WorkerEntry): void {
    for (const label of labelsOf(worker)) this.#byLabel.remove(label, worker);
    for (const member of [...worker.memberships]) member.pool.remove(member);
  }

  /** Its workers with some labels. What no kind uses any more is forgotten. */
  poolOf(labels: Labels | undefined): WorkerPool {
    const key = labelsText(labels);
    if (!labels || key === '') return this.#all;
    return this.#labelled.get(key) ?? this.#begin(key, labels);
  }

  #begin(key: string, labels: Labels): WorkerPool {
    const pool = new WorkerPool(labels, () => {
      this.#labelled.delete(key);
      pool.clear();
    });
    this.#labelled.set(key, pool);
    for (const worker of this.#rarest(labels)) if (hasLabels(worker.labels, labels)) pool.add(worker);
    return pool;
  }

  /** Whether a worker with some labels is here that does not drain. */
  staysWith(labels: Labels | undefined): boolean {
    const key = labelsText(labels);
    const pool = key === '' ? this.#all : this.#labelled.get(key);
    if (pool || !labels) return (pool ?? this.#all).staying > 0;
    for (const worker of this.#rarest(labels))
      if (hasLabels(worker.labels, labels) && staysOn(worker)) return true;
    return false;
  }

  /** The workers with one of some labels, the one that fewest have. */
  #rarest(labels: Labels): Iterable<WorkerEntry> {
    let rarest: ReadonlySet<WorkerEntry> | undefined;
    for (const entry of Object.entries(labels)) {
      const workers = this.#byLabel.get(labelText(entry));
      if (!rarest || workers.size < rarest.size) rarest = workers;
    }
    return rarest ?? [];
  }
}

function labelsOf({ labels }: WorkerEntry): string[] {
  return Object.entries(labels ?? {}).map(labelText);
}

function labelText(label: readonly [string, string]): string {
  return JSON.stringify(label);
}
