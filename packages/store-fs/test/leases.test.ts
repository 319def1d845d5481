import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { LeaseStore } from '@routine-engine/core/adapter';
import { describe, expect, it, vi } from 'vitest';
import { KEY, newDirectory, openStore } from './place.ts';
import { Agent } from './support/agents.ts';

const TTL_MS = 10_000;
/** Near the time of the file system: a new file has that for a moment, and a store that opens removes leases that ended long ago. */
const NOW = Date.now();

/** Two stores on one directory, as two processes have them, with a clock each. */
function twoStores(): { dir: string; clocks: [number, number]; one: LeaseStore; other: LeaseStore } {
  const dir = newDirectory();
  const clocks: [number, number] = [NOW, NOW];
  const [one, other] = [openStore(dir, { now: () => clocks[0] }), openStore(dir, { now: () => clocks[1] })];
  if (!one.store.leases || !other.store.leases) throw new Error('There are no leases');
  return { dir, clocks, one: one.store.leases, other: other.store.leases };
}

const asked = (holder: string) => ({ holder, ttlMs: TTL_MS });
const filesOf = (dir: string): string[] => fs.readdirSync(path.join(dir, 'v1', 'leases', KEY)).toSorted();

describe('a lease', () => {
  it('is held by one at a time, and by the next when it was given back', async () => {
    const { dir, one, other } = twoStores();
    const lease = await one.acquire(KEY, asked('one'));
    expect(lease).toBeDefined();
    expect(await other.acquire(KEY, asked('other'))).toBeUndefined();
    expect(await one.acquire(KEY, asked('one'))).toBeUndefined();
    expect(await one.acquire('cd'.padEnd(64, '0'), asked('one'))).toBeDefined();
    await lease?.release();
    await lease?.release();
    expect(fs.existsSync(path.join(dir, 'v1', 'leases', KEY))).toBe(false);
    const next = await other.acquire(KEY, asked('other'));
    expect(await next?.renew()).toBe(true);
    expect(await lease?.renew()).toBe(false);
  });

  it('of a holder that died is taken by the next after its time, with a greater number, and not before', async () => {
    const { dir, clocks, one, other } = twoStores();
    const dead = await one.acquire(KEY, asked('one'));
    clocks[1] += TTL_MS - 1;
    expect(await other.acquire(KEY, asked('other'))).toBeUndefined();
    clocks[1] += 1;
    expect(await other.acquire(KEY, asked('other'))).toBeDefined();
    expect(filesOf(dir)).toEqual(['2']);
    expect(await dead?.renew()).toBe(false);
    await dead?.release();
    expect(filesOf(dir)).toEqual(['2']);
  });

  it('lasts as long as it is renewed', async () => {
    const { clocks, one, other } = twoStores();
    const lease = await one.acquire(KEY, asked('one'));
    for (let renewed = 0; renewed < 5; renewed += 1) {
      clocks[0] += TTL_MS / 2;
      clocks[1] += TTL_MS / 2;
      expect(await lease?.renew()).toBe(true);
      expect(await other.acquire(KEY, asked('other'))).toBeUndefined();
    }
  });

  it("that was not renewed in time is still its holder's when nobody else took it", async () => {
    const { clocks, one, other } = twoStores();
    const lease = await one.acquire(KEY, asked('one'));
    clocks[0] += 5 * TTL_MS;
    clocks[1] += 5 * TTL_MS;
    expect(await lease?.renew()).toBe(true);
    expect(await other.acquire(KEY, asked('other'))).toBeUndefined();
  });

  it('is no longer that of a holder that slept while another took it and gave it back, though the number is the same', async () => {
    const { dir, clocks, one, other } = twoStores();
    const asleep = await one.acquire(KEY, asked('one'));
    clocks[1] += TTL_MS;
    await (await other.acquire(KEY, asked('other')))?.release();
    const next = await other.acquire(KEY, asked('other'));
    expect(filesOf(dir)).toEqual(['1']);
    expect(await asleep?.renew()).toBe(false);
    await asleep?.release();
    expect(await next?.renew()).toBe(true);
  });

  it('of a clock that is far ahead does not last for ever', async () => {
    const { clocks, one, other } = twoStores();
    clocks[0] += 365 * 24 * 3_600_000;
    await one.acquire(KEY, asked('one'));
    expect(await other.acquire(KEY, asked('other'))).toBeDefined();
  });

  it('holds between clocks that differ by a few seconds when it is renewed in time', async () => {
    const { clocks, one, other } = twoStores();
    clocks[1] += 3_000;
    const lease = await one.acquire(KEY, asked('one'));
    for (let renewed = 0; renewed < 5; renewed += 1) {
      clocks[0] += TTL_MS / 3;
      clocks[1] += TTL_MS / 3;
      expect(await other.acquire(KEY, asked('other'))).toBeUndefined();
      expect(await lease?.renew()).toBe(true);
    }
  });

  it('is given back when the store closes', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const lease = await store.leases?.acquire(KEY, asked('one'));
    await store.close();
    expect(fs.readdirSync(path.join(dir, 'v1', 'leases'))).toEqual([]);
    await lease?.release();
    await expect(lease?.renew()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(store.leases?.acquire(KEY, asked('one'))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('is not kept by who gave up while it was taken', async () => {
    const { one, other } = twoStores();
    const controller = new AbortController();
    const taking = one.acquire(KEY, { ...asked('one'), signal: controller.signal });
    controller.abort(new Error('no longer wanted'));
    await expect(taking).rejects.toThrow('no longer wanted');
    expect(await other.acquire(KEY, asked('other'))).toBeDefined();
  });

  it("may lose its files, and is then nobody's", async () => {
    const { dir, one, other } = twoStores();
    const lease = await one.acquire(KEY, asked('one'));
    fs.rmSync(path.join(dir, 'v1', 'leases'), { recursive: true });
    expect(await lease?.renew()).toBe(false);
    expect(await other.acquire(KEY, asked('other'))).toBeDefined();
    await lease?.release();
    expect(filesOf(dir)).toEqual(['1']);
  });

  it.each([
    ['a key that is none', '../x', TTL_MS, 'STORE_KEY_INVALID'],
    ['less than a second', KEY, 999, 'OPTION_INVALID'],
    ['more than an hour', KEY, 3_600_001, 'OPTION_INVALID'],
    ['no number of milliseconds', KEY, Number.NaN, 'OPTION_INVALID'],
  ])('is refused for %s', async (_, key, ttlMs, code) => {
    const { one } = twoStores();
    await expect(one.acquire(key, { holder: 'one', ttlMs })).rejects.toMatchObject({ code });
  });

  it('is not there when leases are switched off', () => {
    const { store } = openStore(newDirectory(), { leases: false });
    expect(store.leases).toBeUndefined();
  });
});

describe('what stands in place of a lease', () => {
  const inPlace = (dir: string, name = '1'): string => {
    fs.mkdirSync(path.join(dir, 'v1', 'leases', KEY), { recursive: true });
    return path.join(dir, 'v1', 'leases', KEY, name);
  };

  it.each([
    ['an empty file, as a crash may leave it', (file: string) => fs.writeFileSync(file, '')],
    ['half of one', (file: string) => fs.writeFileSync(file, '{"holder":"one","ttlMs":100')],
    [
      'one that is to last for ever',
      (file: string) => fs.writeFileSync(file, '{"holder":"","id":"","ttlMs":1e99}'),
    ],
    ['zeros', (file: string) => fs.writeFileSync(file, Buffer.alloc(100))],
    ['a directory', (file: string) => fs.mkdirSync(file)],
    ['a symbolic link', (file: string) => fs.symlinkSync('/etc/hosts', file)],
    ['a pipe', (file: string) => execFileSync('mkfifo', [file])],
  ])('blocks for no longer than a second: %s', async (_, place) => {
    const dir = newDirectory();
    let now = NOW;
    const { store } = openStore(dir, { now: () => now });
    const file = inPlace(dir);
    place(file);
    fs.lutimesSync(file, NOW / 1000, NOW / 1000);
    expect(await store.leases?.acquire(KEY, asked('one'))).toBeUndefined();
    now += 1000;
    const lease = await store.leases?.acquire(KEY, asked('one'));
    expect(await lease?.renew()).toBe(true);
    await lease?.release();
  });

  it('comes up after the look, with a lesser number, and has run out: then the lease is taken all the same', async () => {
    const dir = newDirectory();
    const died = NOW / 1000 - 600;
    const leave = (name: string): void => {
      fs.writeFileSync(inPlace(dir, name), '');
      fs.utimesSync(inPlace(dir, name), died, died);
    };
    // As two do that meet in a directory that was removed and made anew after the one of them had looked.
    const comesUp = vi.fn<() => void>(() => leave('3'));
    let onLook = (): void => undefined;
    const { store } = openStore(dir, {
      now: () => {
        onLook();
        return NOW;
      },
    });
    await store.sweep();
    leave('7');
    onLook = () => {
      onLook = () => undefined;
      comesUp();
    };
    const lease = await store.leases?.acquire(KEY, asked('one'));
    expect(await lease?.renew()).toBe(true);
    expect(comesUp).toHaveBeenCalledOnce();
    expect(filesOf(dir)).toEqual(['8']);
  });

  it('is not looked at when its name is no number of a lease', async () => {
    const dir = newDirectory();
    const { store } = openStore(dir, { now: () => NOW });
    for (const name of ['notes.txt', '01', '0', '1e9', '9'.repeat(30)])
      fs.writeFileSync(inPlace(dir, name), '');
    const lease = await store.leases?.acquire(KEY, asked('one'));
    expect(await lease?.renew()).toBe(true);
  });

  it.each([
    ['a file', (file: string) => fs.writeFileSync(file, '')],
    ['a symbolic link', (file: string) => fs.symlinkSync('/tmp', file)],
  ])('of its directory is an error that names it: %s', async (_, place) => {
    const dir = newDirectory();
    const { store } = openStore(dir);
    const directory = path.join(dir, 'v1', 'leases', KEY);
    place(directory);
    await expect(store.leases?.acquire(KEY, asked('one'))).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining(directory),
    });
  });
});

describe('processes that want one lease', () => {
  it('get it one at a time, also when it has run out', async () => {
    const dir = newDirectory();
    const agents = await Promise.all(Array.from({ length: 4 }, () => Agent.open(dir)));
    for (let round = 0; round < 40; round += 1) {
      const key = round.toString(16).padStart(64, '0');
      // Of a process that died some minutes ago: not so long ago that a store that opens would remove it.
      const directory = path.join(dir, 'v1', 'leases', key);
      fs.mkdirSync(directory);
      fs.writeFileSync(path.join(directory, '7'), '{"holder":"dead","ttlMs":1000,"id":"x"}');
      const died = Date.now() / 1000 - 600;
      fs.utimesSync(path.join(directory, '7'), died, died);
      const order = { operation: 'take', key, ttlMs: 60_000 };
      const taken = await Promise.all(agents.map((agent) => agent.ask<boolean>(order)));
      expect(taken.filter((isTaken) => isTaken === true)).toHaveLength(1);
      expect(fs.readdirSync(directory)).toEqual(['8']);
      const holder = agents[taken.indexOf(true)];
      expect(await holder?.ask({ operation: 'renew', key })).toBe(true);
      await holder?.ask({ operation: 'giveBack', key });
      expect(fs.existsSync(directory)).toBe(false);
    }
    await Promise.all(agents.map((agent) => agent.close()));
  });
});
