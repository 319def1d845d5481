import { bodyOf, type StoredResult } from '@routine-engine/core/adapter';
import type { FsStore } from '../../src/fs-store.ts';
import { bytesOf, digestOf, METADATA } from '../place.ts';
import type { Seeded } from './seeded.ts';

/** What somebody asked of a store, and later that it was done. */
export interface Note {
  readonly call: number;
  readonly isDone: boolean;
  readonly what: 'put' | 'delete' | 'pin' | 'unpin' | 'put blob' | 'delete blob' | 'take';
  /** Key of a result or a lease, digest of a blob. */
  readonly of: string;
  /** Which result is put. */
  readonly runId?: string;
  /** `present`: another one stays. */
  readonly outcome?: string;
}

/** What a key stands for: any of these results, of which `undefined` is none; and whether it is pinned. */
export interface Expected {
  readonly runIds: ReadonlySet<string | undefined>;
  readonly pinned: boolean;
}

const BLOBS = [300, 2_000, 40_000, 300_000].map((byteLength) => bytesOf(byteLength, byteLength));
const NONE: Expected = { runIds: new Set([undefined]), pinned: false };

/** Some callers that use a store at once, each with keys and blobs of its own, and what they were told. */
export class CrashWorkload {
  readonly keys: readonly string[];
  readonly blobs = new Map(BLOBS.map((bytes) => [digestOf(bytes), bytes]));
  /** Every result that was ever put, by its run. */
  readonly results = new Map<string, StoredResult>();
  /** For whoever needs one more. */
  readonly spare: StoredResult;
  readonly #chance: Seeded;
  readonly #tell: (note: Note) => void;
  #calls = 0;

  constructor(chance: Seeded, tell: (note: Note) => void) {
    this.#chance = chance;
    this.#tell = tell;
    this.keys = ['aa0', 'aa1', 'bb0', 'bb1'].map((start) => start.padEnd(64, '0'));
    this.spare = this.#newResult('spare');
  }

  async run(store: FsStore, rounds: number): Promise<void> {
    const digests = [...this.blobs.keys()];
    await Promise.all(
      this.keys.map(async (key, at) => {
        for (let round = 0; round < rounds; round += 1) await this.#useResult(store, key);
        for (let round = 0; round < 2; round += 1) await this.#useBlob(store, digests[at] ?? '');
        await this.#noted({ what: 'take', of: key }, async () => {
          const lease = await store.leases?.acquire(key, { holder: 'crash', ttlMs: 10_000 });
          if (this.#chance.next() < 0.5) await lease?.release();
        });
      }),
    );
  }

  /** A result of any size that differs from all others. */
  #newResult(of: string): StoredResult {
    const runId = `${of.slice(0, 3)}-${this.results.size}`;
    const [head, ...buffers] = Array.from({ length: 1 + this.#chance.below(3) }, () =>
      bytesOf(this.#chance.below(this.#chance.one([50, 3_000, 20_000])), this.#chance.below(1000)),
    );
    const result = {
      metadata: { ...METADATA, runId },
      body: bodyOf({ head: head ?? new Uint8Array(0), buffers }),
    };
    this.results.set(runId, result);
    return result;
  }

  async #useResult(store: FsStore, of: string): Promise<void> {
    const put = (): Promise<void> => {
      const result = this.#newResult(of);
      return this.#noted({ what: 'put', of, runId: result.metadata.runId }, () => store.put(of, result));
    };
    const choice = this.#chance.below(10);
    if (choice < 4) await put();
    else if (choice < 6) await Promise.all([put(), put()]);
    else if (choice < 7) await this.#noted({ what: 'delete', of }, () => store.delete(of));
    else if (choice < 9) await this.#noted({ what: 'pin', of }, () => store.pin(of, true));
    else await this.#noted({ what: 'unpin', of }, () => store.pin(of, false));
  }

  async #useBlob(store: FsStore, of: string): Promise<void> {
    const bytes = this.blobs.get(of) ?? new Uint8Array(0);
    const put = (): Promise<void> =>
      this.#noted({ what: 'put blob', of, runId: of }, () => {
        return store.blobs.put(this.#chance.next() < 0.5 ? bytes : chunksOf(bytes));
      });
    if (this.#chance.next() < 0.7) await Promise.all([put(), put()]);
    else await this.#noted({ what: 'delete blob', of }, () => store.blobs.delete(of));
  }

  async #noted(what: Omit<Note, 'call' | 'isDone'>, call: () => Promise<unknown>): Promise<void> {
    const note = { ...what, call: (this.#calls += 1) };
    this.#tell({ ...note, isDone: false });
    const outcome = await call();
    this.#tell({ ...note, isDone: true, ...(typeof outcome === 'string' && { outcome }) });
  }
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += 7_000) yield bytes.subarray(at, at + 7_000);
}

/** What a key or digest may stand for after some notes: what was done for certain, and what was under way or not. */
export function expectedAfter(notes: readonly Note[], of: string): readonly Expected[] {
  let state = NONE;
  const underWay = new Map<number, Note>();
  for (const note of notes) {
    if (note.of !== of) continue;
    if (!note.isDone) underWay.set(note.call, note);
    if (!note.isDone) continue;
    underWay.delete(note.call);
    state = after(state, note, [...underWay.values()]);
  }
  const pending = [...underWay.values()];
  const possible = [
    state,
    ...pending.map((note) =>
      after(
        state,
        note,
        pending.filter((other) => other !== note),
      ),
    ),
  ];
  // A delete that was cut off may have come as far as the pin only.
  return pending.some(({ what }) => what === 'delete')
    ? [...possible, { ...state, pinned: false }]
    : possible;
}

function after(state: Expected, { what, runId, outcome }: Note, others: readonly Note[]): Expected {
  const isThere = !state.runIds.has(undefined);
  if (what === 'delete' || what === 'delete blob') return NONE;
  if (what === 'pin') return { ...state, pinned: isThere };
  if (what === 'unpin') return { ...state, pinned: false };
  if (what === 'take' || isThere) return state;
  // Of two that were put at once, the one that was told so is the one; until then it may be either.
  const rivals = others.filter((other) => other.what === what).map((other) => other.runId);
  if (outcome === 'stored') return { ...state, runIds: new Set([runId]) };
  return { ...state, runIds: new Set(outcome === 'present' ? rivals : [runId, ...rivals]) };
}
