import fs from 'node:fs';
import path from 'node:path';
import type { FsStore } from '../../src/fs-store.ts';
import { Agent, KILLED, type Order } from './agents.ts';
import { expectedAfter, type Note } from './crash-workload.ts';
import { Seeded } from './seeded.ts';

/** Most file operations before a process kills itself: some twenty calls. */
const LONGEST_LIFE = 160;
const KEYS_OF_LANE = 4;
/** How long the leases last that the processes take, in milliseconds. */
export const LEASE_MS = 1_000;

const ORDERS: Readonly<Record<Note['what'], string>> = {
  put: 'put',
  delete: 'delete',
  pin: 'pin',
  unpin: 'pin',
  take: 'take',
  'put blob': 'putBlob',
  'delete blob': 'deleteBlob',
};

/** Processes that use the same few results and blobs until they are killed, one after the other. */
export class KillLane {
  readonly #dir: string;
  readonly #chance: Seeded;
  readonly #keys: readonly string[];
  readonly #notes: Note[] = [];
  readonly #name: string;
  #calls = 0;

  constructor(dir: string, number: number) {
    this.#dir = dir;
    this.#name = `lane${number}`;
    this.#chance = new Seeded(number);
    this.#keys = Array.from({ length: KEYS_OF_LANE }, (_, at) => `0${at}${number}`.padEnd(64, '0'));
  }

  /** @throws when what it left is not what it may be. */
  async killOne(store: FsStore): Promise<void> {
    const kill = { count: 1 + this.#chance.below(LONGEST_LIFE) };
    const agent = await Agent.open(this.#dir, { fsync: this.#chance.next() < 0.5, kill });
    await Promise.all(this.#keys.map((key) => this.#use(agent, key)));
    await agent.ended;
    if (agent.events.length > 0) throw new Error(`It was told ${JSON.stringify(agent.events)}`);
    for (const key of this.#keys) await this.#settle(store, key);
  }

  async #use(agent: Agent, of: string): Promise<void> {
    for (;;) {
      const call = (this.#calls += 1);
      const what = this.#chance.one(['put', 'put', 'put', 'put', 'delete', 'pin', 'unpin', 'take'] as const);
      const runId = `${this.#name}-${call}`;
      const byteLength = this.#chance.below(this.#chance.one([100, 10_000, 200_000, 2_000_000]));
      const stream = this.#chance.next() < 0.5;
      // A result, and then content of its own kind, which has to be as whole.
      if (what === 'put') {
        const blob = { operation: 'putBlob', tag: `${runId}-blob`, byteLength, stream };
        if ((await agent.ask(blob)) === KILLED) return;
      }
      this.#notes.push({ call, isDone: false, what, of, runId });
      const order: Order = {
        operation: ORDERS[what],
        ...{ key: of, tag: runId, byteLength, stream, pinned: what === 'pin', ttlMs: LEASE_MS },
      };
      const outcome = await agent.ask(order);
      if (outcome === KILLED) return;
      const done = { call, isDone: true, what, of, runId };
      this.#notes.push({ ...done, ...(typeof outcome === 'string' && { outcome }) });
    }
  }

  /** Looks at what a killed process left of a result, and goes on from there. */
  async #settle(store: FsStore, key: string): Promise<void> {
    const found = await store.get(key);
    const runId = found?.metadata.runId.split(' ')[0];
    const pinned = found !== undefined && fs.existsSync(pinFileOf(this.#dir, key));
    const possible = expectedAfter(this.#notes, key);
    const isFine = possible.some((one) => one.runIds.has(runId) && (!found || one.pinned === pinned));
    if (!isFine)
      throw new Error(`${key} is ${runId}, pinned ${pinned}, after ${JSON.stringify(this.#notes)}`);
    const others = this.#notes.filter((note) => note.of !== key);
    this.#notes.length = 0;
    this.#notes.push(...others);
    const base = { call: 0, isDone: true, of: key };
    if (runId !== undefined) this.#notes.push({ ...base, what: 'put', runId, outcome: 'stored' });
    if (pinned) this.#notes.push({ ...base, what: 'pin' });
  }
}

function pinFileOf(dir: string, key: string): string {
  return path.join(dir, 'v1', key.slice(0, 2), `${key}.pinned`);
}
