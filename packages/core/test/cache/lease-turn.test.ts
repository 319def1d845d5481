import { beforeEach, describe, expect, it } from 'vitest';
import { takeTurn, type TurnParts } from '../../src/cache/lease-turn.js';
import { Cancellation } from '../../src/context/cancellation.js';
import type { Lease, LeaseStore } from '../../src/ports/lease-store.js';
import { Turns } from '../protocol/memory-pipe.js';

const KEY = 'a'.repeat(64);

/** Leases that several processes share, by virtual time. */
class SharedLeases implements LeaseStore {
  readonly #clock: Turns;
  holder: { readonly name: string; until: number } | undefined;
  refusal: Error | undefined;
  taken: string[] = [];

  constructor(clock: Turns) {
    this.#clock = clock;
  }

  async acquire(
    _: string,
    { holder, ttlMs }: { readonly holder: string; readonly ttlMs: number },
  ): Promise<Lease | undefined> {
    if (this.refusal) throw this.refusal;
    if (this.holder && this.holder.until > this.#clock.now()) return undefined;
    const own = { name: holder, until: this.#clock.now() + ttlMs };
    this.holder = own;
    this.taken.push(holder);
    return {
      renew: async () => {
        if (this.holder !== own) return false;
        own.until = this.#clock.now() + ttlMs;
        return true;
      },
      release: async () => {
        if (this.holder === own) this.holder = undefined;
      },
    };
  }
}

let clock: Turns;
let leases: SharedLeases;
let kept: string | undefined;
let computed: string[];
let failures: unknown[];

const process = (holder: string): TurnParts => ({
  ...{ leases, clock, holder },
  onFailed: (error) => failures.push(error),
});
const look = async (): Promise<string | undefined> => kept;

/** A process that computes for `milliseconds`, and keeps what comes out. */
function start(holder: string, milliseconds: number, cancel = new Cancellation()): Promise<string> {
  const compute = async (): Promise<string> => {
    computed.push(holder);
    await new Promise<void>((resolve) => clock.after(milliseconds, resolve));
    return (kept = `by ${holder}`);
  };
  return takeTurn(KEY, process(holder), cancel, look, compute);
}

beforeEach(() => {
  clock = new Turns();
  leases = new SharedLeases(clock);
  kept = undefined;
  computed = [];
  failures = [];
});

const pass = async (milliseconds: number): Promise<void> => {
  for (let passed = 0; passed < milliseconds; passed += 10) await clock.advance(10);
};

describe('several processes that need one result', () => {
  it('have one of them compute it, and all get it', async () => {
    const all = Promise.all(['one', 'two', 'three', 'four', 'five'].map((holder) => start(holder, 1_000)));
    await pass(3_000);
    expect(await all).toEqual(Array.from({ length: 5 }, () => 'by one'));
    expect(computed).toEqual(['one']);
    expect(leases.holder).toBeUndefined();
    expect(clock.pendingTimers).toBe(0);
  });

  it('keep the lease for as long as the work takes', async () => {
    const all = Promise.all([start('one', 60_000), start('two', 60_000)]);
    await pass(62_000);
    expect(await all).toEqual(['by one', 'by one']);
    expect(computed).toEqual(['one']);
  });

  it('hand over when the one that computes is gone', async () => {
    await leases.acquire(KEY, { holder: 'dead', ttlMs: 10_000 });
    const waiting = start('two', 100);
    await pass(9_000);
    expect(computed).toEqual([]);
    await pass(3_000);
    expect(await waiting).toBe('by two');
  });

  it('compute one after the other what cannot be kept', async () => {
    const failing = takeTurn(KEY, process('one'), new Cancellation(), look, () =>
      Promise.reject(new RangeError('no')),
    );
    const second = start('two', 100);
    await expect(failing).rejects.toThrow(new RangeError('no'));
    await pass(1_000);
    expect(await second).toBe('by two');
  });

  it('look again once they have the lease', async () => {
    kept = 'by somebody just now';
    expect(await start('one', 100)).toBe('by somebody just now');
    expect(computed).toEqual([]);
    expect(leases.holder).toBeUndefined();
  });

  it('compute without a lease when the store cannot tell', async () => {
    leases.refusal = new Error('unreachable');
    const first = start('one', 100);
    await pass(200);
    expect(await first).toBe('by one');
    expect(failures).toEqual([leases.refusal]);
  });

  it('compute nothing when they are cancelled while the store takes its time', async () => {
    for (const slow of ['lease', 'look'] as const) {
      const cancellation = new Cancellation();
      const lookSlowly = async (): Promise<string | undefined> => {
        if (slow === 'look') cancellation.cancel(new Error('enough'));
        return look();
      };
      const compute = async (): Promise<string> => {
        computed.push(slow);
        return slow;
      };
      const waiting = takeTurn(KEY, process('one'), cancellation, lookSlowly, compute);
      if (slow === 'lease') cancellation.cancel(new Error('enough'));
      await expect(waiting).rejects.toThrow('enough');
      expect(leases.holder).toBeUndefined();
    }
    expect(computed).toEqual([]);
  });

  it('wait no longer when they are cancelled', async () => {
    await leases.acquire(KEY, { holder: 'other', ttlMs: 10_000 });
    const cancellation = new Cancellation();
    const waiting = start('one', 100, cancellation);
    await pass(100);
    cancellation.cancel(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(clock.pendingTimers).toBe(0);
  });
});
