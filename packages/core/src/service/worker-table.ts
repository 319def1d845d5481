import type { OfferedRoutine } from '../model/routine-definition.js';
import type { NodeSession } from './node-session.js';
import type { RunKind } from './run-kind.js';
import { WorkerEntry, type WorkerOffer } from './worker-entry.js';
import { WorkerGroup } from './worker-group.js';

/** The workers that are connected, what each can run, and who can take more. */
export class WorkerTable {
  readonly #workers = new Map<NodeSession, WorkerEntry>();
  readonly #numbers = new Map<number, WorkerEntry>();
  readonly #groups = new Map<string, WorkerGroup>();
  readonly #groupOf = new Map<WorkerEntry, WorkerGroup>();
  /** Full routine id -> groups that offer it, in the order of their coming. */
  readonly #offering = new Map<string, WorkerGroup[]>();
  /** Workers that may take more than when they were last given something. */
  readonly #grown = new Set<WorkerEntry>();
  #numbered = 0;
  #version = 0;
  #isReachChanged = false;

  get all(): IterableIterator<WorkerEntry> {
    return this.#workers.values();
  }

  get size(): number {
    return this.#workers.size;
  }

  /** Runs that they have in hand. */
  get placed(): number {
    let placed = 0;
    for (const { runs } of this.all) placed += runs.size;
    return placed;
  }

  /** Grows when a group comes or goes: then kinds look for their pools again. */
  get version(): number {
    return this.#version;
  }

  get(node: NodeSession): WorkerEntry | undefined {
    return this.#workers.get(node);
  }

  add(offer: WorkerOffer): WorkerEntry {
    const group = offer.acceptsWork ? this.#groupFor(offer) : undefined;
    this.#numbered += 1;
    const { routines, serializers } = group ?? offer;
    const shared = { ...offer, routines, serializers };
    const worker = new WorkerEntry(shared, this.#numbered, (changed, takesMore) =>
      this.#changed(changed, takesMore),
    );
    this.#workers.set(worker.node, worker);
    this.#numbers.set(worker.number, worker);
    if (!group) return worker;
    this.#groupOf.set(worker, group);
    group.add(worker);
    this.#grown.add(worker);
    this.#isReachChanged = true;
    return worker;
  }

  remove(worker: WorkerEntry): void {
    this.#workers.delete(worker.node);
    this.#numbers.delete(worker.number);
    this.#grown.delete(worker);
    const group = this.#groupOf.get(worker);
    if (!group) return;
    group.remove(worker);
    this.#groupOf.delete(worker);
    this.#isReachChanged = true;
    if (group.size === 0) this.#dissolve(group);
  }

  /** The worker with a number, as long as it is here. */
  numbered(number: number): WorkerEntry | undefined {
    return this.#numbers.get(number);
  }

  /** Whether any worker offers a routine in exactly that version. */
  offers(routineId: string): boolean {
    return this.#offering.has(routineId);
  }

  /** How many workers offer a routine in exactly that version. */
  countOffering(routineId: string): number {
    const groups = this.#offering.get(routineId) ?? NO_GROUPS;
    return groups.reduce((count, group) => count + group.size, 0);
  }

  /** Full ids of everything that is offered. */
  get offered(): IterableIterator<string> {
    return this.#offering.keys();
  }

  /** Has a kind find its workers, again if groups have come or gone. */
  attach(kind: RunKind): void {
    if (kind.poolsVersion === this.#version) return;
    const old = kind.pools;
    kind.poolsVersion = this.#version;
    kind.pools = this.#groupsOf(kind).map((group) => group.poolOf(kind.labels));
    for (const pool of kind.pools) pool.enter();
    for (const pool of old) pool.leave(kind);
    // After the others were left, among which the same may be.
    if (kind.waiting > 0) for (const pool of kind.pools) pool.waiting.add(kind);
  }

  /** A kind needs no workers any more. */
  detach(kind: RunKind): void {
    for (const pool of kind.pools) pool.leave(kind);
    kind.pools = [];
    kind.poolsVersion = -1;
  }

  /** Whether a worker that does not drain can take runs of a kind. @param anyStore - when their arguments come whole. */
  canReach(kind: RunKind, anyStore = false): boolean {
    const groups = this.#groupsOf(kind, anyStore);
    return groups.some((group) => group.staysWith(kind.labels));
  }

  /** Workers that may take more than before, each once; and since when it was asked whether any came, went or drains. */
  takeGrown(): { readonly workers: readonly WorkerEntry[]; readonly isReachChanged: boolean } {
    const isReachChanged = this.#isReachChanged;
    const workers = this.#grown.size > 0 ? [...this.#grown] : NONE;
    this.#grown.clear();
    this.#isReachChanged = false;
    return { workers, isReachChanged };
  }

  /** Keys of serializers that runs of a kind need, and that no worker that offers the routine has all of; else `undefined`. */
  lacking({ routineId, serializers }: RunKind): readonly string[] | undefined {
    const groups = this.#offering.get(routineId);
    if (!serializers || !groups) return undefined;
    const lacking = groups.map((group) => group.lacks(serializers));
    return lacking.some((keys) => keys.length === 0) ? undefined : lacking[0];
  }

  #groupsOf({ routineId, store, serializers }: RunKind, anyStore = false): readonly WorkerGroup[] {
    const groups = this.#offering.get(routineId) ?? NO_GROUPS;
    const able = serializers ? groups.filter((group) => group.lacks(serializers).length === 0) : groups;
    return store === undefined || anyStore ? able : able.filter((group) => group.store === store);
  }

  #groupFor(offer: WorkerOffer): WorkerGroup {
    const { routines, store, serializers } = offer;
    const offers = [...routines.values()].map(offerText).toSorted();
    const key = JSON.stringify([store, offers, [...serializers].toSorted()]);
    const known = this.#groups.get(key);
    if (known) return known;
    const group = new WorkerGroup(key, offer);
    this.#groups.set(key, group);
    this.#version += 1;
    for (const routineId of routines.keys()) {
      const others = this.#offering.get(routineId);
      if (others) others.push(group);
      else this.#offering.set(routineId, [group]);
    }
    return group;
  }

  #dissolve(group: WorkerGroup): void {
    this.#groups.delete(group.key);
    this.#version += 1;
    for (const routineId of group.routines.keys()) {
      const rest = this.#offering.get(routineId)?.filter((other) => other !== group) ?? [];
      if (rest.length > 0) this.#offering.set(routineId, rest);
      else this.#offering.delete(routineId);
    }
  }

  #changed(worker: WorkerEntry, takesMore: boolean): void {
    for (const member of worker.memberships) member.pool.update(member);
    if (takesMore) this.#grown.add(worker);
    if (worker.status === 'TERMINATING') this.#isReachChanged = true;
  }
}

const NONE: readonly WorkerEntry[] = [];
const NO_GROUPS: readonly WorkerGroup[] = [];

function offerText({ routineId, sourceHash }: OfferedRoutine): string {
  return `${routineId} ${sourceHash ?? ''}`;
}
