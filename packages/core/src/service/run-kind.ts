import { labelsText, type Labels } from '../model/labels.js';
import type { RequestStart } from '../protocol/directives.js';
import { IndexedHeap } from './indexed-heap.js';
import { ranksBefore, type Lane } from './lane.js';
import type { WorkerPool } from './worker-pool.js';

/** Waiting runs of one kind and priority. */
export interface KindLevel {
  readonly priority: number;
  /** By the id of the root run. */
  readonly lanes: Map<string, Lane>;
  readonly heap: IndexedHeap<Lane>;
}

/** Runs that the same workers can take: of one routine, with the same labels, and with arguments in the same store or in none that take
 * the same serializers. */
export class RunKind {
  readonly key: string;
  readonly routineId: string;
  readonly labels: Labels | undefined;
  /** Identity of the store that its worker must have, since parts of the arguments lie there. */
  readonly store: string | undefined;
  /** Keys of the serializers that its workers must have. */
  readonly serializers: readonly string[] | undefined;
  /** Where its workers are, as of {@link RunKind.poolsVersion}. */
  pools: readonly WorkerPool[] = [];
  poolsVersion = -1;
  /** Why no worker can take its runs, as of a version of the table of workers. */
  nobody: { readonly version: number; readonly why: string } | undefined;
  /** Of those that wait, the highest priority first. */
  readonly levels: KindLevel[] = [];
  #waiting = 0;

  constructor(key: string, { routineId, labels, blobs, store, serializers }: RequestStart) {
    this.key = key;
    this.routineId = routineId;
    this.labels = labels;
    this.store = blobs && store;
    this.serializers = serializers && serializers.length > 0 ? serializers : undefined;
  }

  /** How many of its runs wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** One more of its runs waits, or one fewer. */
  count(change: 1 | -1): void {
    this.#waiting += change;
    if (this.#waiting === 0) for (const pool of this.pools) pool.waiting.delete(this);
    else if (this.#waiting === 1) for (const pool of this.pools) pool.waiting.add(this);
  }

  /** The lane whose head goes first. */
  get first(): Lane | undefined {
    const [level] = this.levels;
    if (!level) return undefined;
    const { heap } = level;
    while (heap.top?.refresh()) heap.update(heap.top);
    return heap.top;
  }

  levelOf(priority: number): KindLevel {
    const { levels } = this;
    let index = 0;
    while ((levels[index]?.priority ?? Number.NEGATIVE_INFINITY) > priority) index += 1;
    const found = levels[index];
    if (found?.priority === priority) return found;
    const level: KindLevel = { priority, lanes: new Map(), heap: new IndexedHeap(ranksBefore) };
    levels.splice(index, 0, level);
    return level;
  }
}

/** What the runs of a kind have in common. No routine id has a space in it. */
export function kindKeyOf({ routineId, blobs, store, labels, serializers }: RequestStart): string {
  if (!blobs && !labels && !serializers) return routineId;
  return `${routineId} ${labelsText(labels)} ${JSON.stringify([blobs && store, serializers])}`;
}
