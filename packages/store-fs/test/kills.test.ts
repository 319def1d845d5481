import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { expect, it } from 'vitest';
import { newDirectory, openStore, readAll } from './place.ts';
import { Agent } from './support/agents.ts';
import { KillLane, LEASE_MS } from './support/kill-lane.ts';

/** How many processes are killed; set `STORE_FS_KILLS` for more. */
const KILLS = Number(process.env['STORE_FS_KILLS'] ?? 60);
const LANES = 3;
it(
  'a process that is killed anywhere leaves what it was told is kept, nothing wrong, and nothing for ever',
  { timeout: 60_000 + KILLS * 2_000 },
  async () => {
    const dir = newDirectory();
    const { store, events } = openStore(dir, { now: () => Date.now() });
    const lanes = Array.from({ length: LANES }, (_, number) => new KillLane(dir, number));
    await Promise.all(
      lanes.map(async (lane, number) => {
        for (let kill = number; kill < KILLS; kill += LANES) await lane.killOne(store);
      }),
    );
    const reader = await Agent.open(dir);
    for (const { key } of (await reader.ask<{ key: string }[]>({ operation: 'list' })) as { key: string }[]) {
      expect(await reader.ask({ operation: 'get', key })).not.toMatchObject({ tag: 'WRONG' });
    }
    await reader.close();
    for await (const { digest, byteLength } of store.blobs.list()) {
      const blob = await store.blobs.get(digest);
      expect(blob && (await readAll(blob)).byteLength).toBe(byteLength);
    }
    expect(events).toEqual([]);
    const later = openStore(dir, { now: () => Date.now() + LEASE_MS }).store;
    for (const key of fs.readdirSync(path.join(dir, 'v1', 'leases'))) {
      const lease = await later.leases?.acquire(key, { holder: 'next', ttlMs: LEASE_MS });
      expect(lease).toBeDefined();
    }
    for await (const { pinned } of later.list()) expect([true, false]).toContain(pinned);
    await later.close();
    for (const name of ['tmp', 'corrupt', 'leases']) {
      expect(fs.readdirSync(path.join(dir, 'v1', name))).toEqual([]);
    }
    const names = fs.readdirSync(path.join(dir, 'v1'), { recursive: true, encoding: 'utf8' });
    const pins = names.filter((name) => name.endsWith('.pinned'));
    for (const pin of pins) expect(names).toContain(pin.replace('.pinned', '.result'));
  },
);
