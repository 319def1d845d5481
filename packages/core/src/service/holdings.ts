import { LIMITS } from '../model/limits.js';
import type { RunInput } from '../model/run-input.js';
import type { RequestStart, RunCompletes } from '../protocol/directives.js';
import { matchNear } from './matchmaker.js';
import type { WorkerEntry } from './worker-entry.js';
import type { WorkerPool } from './worker-pool.js';
import type { WorkerTable } from './worker-table.js';

/** Inputs that are remembered, those that nobody was given or made for longest out first. */
const MOST_DIGESTS = 65_536;
/** Workers that are remembered for one input, the latest ones. */
const MOST_HOLDERS = 8;
/** Most parts of one value that are looked at: there may be many thousands. */
const MOST_PARTS = 64;

/**
 * Which workers had which bytes lately, because they were given them or made them. Whether they still have them only they
 * know: it is a guess that costs little when it is wrong. Workers are known by their numbers, so that those that are
 * gone are not held on to.
 */
export class Holdings {
  readonly #workers: WorkerTable;
  /** By digest, the latest last. */
  readonly #holders = new Map<string, readonly number[]>();

  constructor(workers: WorkerTable) {
    this.#workers = workers;
  }

  /** The worker among some that a run is near to; `undefined` when it has no inputs, or none has a free slot. */
  nearest(pools: readonly WorkerPool[], request: RequestStart): WorkerEntry | undefined {
    return hasInputs(request) ? matchNear(pools, this.holdersOf(request)) : undefined;
  }

  /** A worker gets the arguments of a run. */
  given(worker: WorkerEntry, request: RequestStart): void {
    if (!hasInputs(request)) return;
    for (const { digest } of inputsOf(request)) this.#note(digest, worker.number);
  }

  /** A worker has made a result. */
  made(worker: WorkerEntry, { reference, blobs }: RunCompletes): void {
    if (reference && reference.byteLength >= LIMITS.localityBytes) this.#note(reference.key, worker.number);
    for (const { digest } of blobs?.slice(0, MOST_PARTS) ?? []) this.#note(digest, worker.number);
  }

  /** The workers that may have inputs of a run, and how many bytes of them. */
  holdersOf(request: RequestStart): ReadonlyMap<WorkerEntry, number> {
    const bytes = new Map<WorkerEntry, number>();
    for (const { digest, byteLength } of inputsOf(request)) {
      for (const number of this.#holders.get(digest) ?? []) {
        const worker = this.#workers.numbered(number);
        if (worker) bytes.set(worker, (bytes.get(worker) ?? 0) + byteLength);
      }
    }
    return bytes;
  }

  #note(digest: string, worker: number): void {
    const others = this.#holders.get(digest)?.filter((other) => other !== worker) ?? [];
    this.#holders.delete(digest);
    this.#holders.set(digest, [...others.slice(1 - MOST_HOLDERS), worker]);
    if (this.#holders.size <= MOST_DIGESTS) return;
    for (const eldest of this.#holders.keys()) return void this.#holders.delete(eldest);
  }
}

function hasInputs({ inputs, blobs }: RequestStart): boolean {
  return inputs !== undefined || blobs !== undefined;
}

function inputsOf({ inputs, blobs }: RequestStart): readonly RunInput[] {
  if (!blobs) return inputs ?? [];
  return [...(inputs ?? []), ...blobs.slice(0, MOST_PARTS)];
}
