import type { Labels } from '../model/labels.js';
import { IndexedHeap, type HeapItem } from './indexed-heap.js';
import { hasInboxRoom, isAlive, isFreeSooner, isLessLoaded } from './matchmaker.js';
import type { RunKind } from './run-kind.js';
import type { WorkerEntry } from './worker-entry.js';

/** A worker in one pool. */
export class PoolMember implements HeapItem {
  readonly worker: WorkerEntry;
  readonly pool: WorkerPool;
  heapIndex = -1;
  /** The heap that it is in. */
  heap: IndexedHeap<PoolMember> | undefined;
  isStaying = false;

  constructor(worker: WorkerEntry, pool: WorkerPool) {
    this.worker = worker;
    this.pool = pool;
  }
}

/** Workers of one group that have some labels, those that can take a run in order: the next one is found at once. */
export class WorkerPool {
  readonly labels: Labels | undefined;
  /** Those with a free slot, the least loaded first. */
  readonly free = new IndexedHeap<PoolMember>((a, b) => isLessLoaded(a.worker, b.worker));
  /** Those whose slots are taken, and to which short runs may be sent ahead: the one that expects to be free first. */
  readonly ahead = new IndexedHeap<PoolMember>((a, b) => isFreeSooner(a.worker, b.worker));
  /** The kinds whose workers are here, and of which runs wait. */
  readonly waiting = new Set<RunKind>();
  /** How many workers are here that do not drain. */
  staying = 0;
  readonly #members = new Set<PoolMember>();
  readonly #onUnused: () => void;
  #users = 0;

  /** @param onUnused - no kind uses it any more. */
  constructor(labels: Labels | undefined, onUnused: () => void = () => undefined) {
    this.labels = labels;
    this.#onUnused = onUnused;
  }

  get size(): number {
    return this.#members.size;
  }

  /** A kind finds its workers here from now on, until it leaves. */
  enter(): void {
    this.#users += 1;
  }

  leave(kind: RunKind): void {
    this.#users -= 1;
    this.waiting.delete(kind);
    if (this.#users === 0) this.#onUnused();
  }

  clear(): void {
    for (const member of [...this.#members]) this.remove(member);
  }

  add(worker: WorkerEntry): void {
    const member = new PoolMember(worker, this);
    this.#members.add(member);
    worker.memberships.push(member);
    this.update(member);
  }

  remove(member: PoolMember): void {
    this.#move(member, undefined);
    this.#count(member, false);
    this.#members.delete(member);
    member.worker.memberships.splice(member.worker.memberships.indexOf(member), 1);
  }

  /** Puts a worker in its place, after anything of it has changed. */
  update(member: PoolMember): void {
    const { worker } = member;
    this.#count(member, staysOn(worker));
    this.#move(member, this.#heapFor(worker));
  }

  #heapFor(worker: WorkerEntry): IndexedHeap<PoolMember> | undefined {
    if (worker.refusing || !isAlive(worker.status)) return undefined;
    if (worker.computing < worker.slots) return this.free;
    return hasInboxRoom(worker) ? this.ahead : undefined;
  }

  #move(member: PoolMember, heap: IndexedHeap<PoolMember> | undefined): void {
    if (member.heap === heap) {
      heap?.update(member);
      return;
    }
    member.heap?.remove(member);
    member.heap = heap;
    heap?.add(member);
  }

  #count(member: PoolMember, isStaying: boolean): void {
    if (member.isStaying === isStaying) return;
    member.isStaying = isStaying;
    this.staying += isStaying ? 1 : -1;
  }
}

/** A worker that is suspect may come back; one that drains takes nothing any more. */
export function staysOn({ status }: WorkerEntry): boolean {
  return status !== 'TERMINATING' && status !== 'CLOSED';
}
