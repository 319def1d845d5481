import { describe, expect, it } from 'vitest';
import { Heartbeats } from '../../src/service/heartbeats.js';
import { WorkerTable } from '../../src/service/worker-table.js';
import { Turns } from '../protocol/memory-pipe.js';
import { addWorker } from './stand-ins.js';

describe('heartbeats', () => {
  it('ask each of ten thousand workers once in a beat, a few at a time', async () => {
    const turns = new Turns();
    const table = new WorkerTable();
    const asked = new Map<number, number[]>();
    for (let made = 0; made < 10_000; made += 1) {
      const worker = addWorker(table);
      const post = (): void => {
        worker.lastPulseAt = turns.monotonic();
        asked.set(worker.number, [...(asked.get(worker.number) ?? []), worker.lastPulseAt]);
      };
      Object.assign(worker.node, { post });
    }
    const never = (): never => expect.unreachable();
    const heartbeats = new Heartbeats({
      ...{ clock: turns, limits: { heartbeatMs: 2_000 }, workers: () => table.all },
      ...{ onSuspect: never, onLost: never },
    });
    heartbeats.start();
    for (let step = 0; step < 60; step += 1) await turns.advance(100);
    heartbeats.stop();
    expect(asked.size).toBe(10_000);
    const times = [...asked.values()];
    expect(
      times.every(([first = 0, second = 0, third]) => second - first === 2_000 && third === second + 2_000),
    ).toBe(true);
    const atOnce = new Map<number, number>();
    for (const at of times.flat()) atOnce.set(at, (atOnce.get(at) ?? 0) + 1);
    expect(Math.max(...atOnce.values())).toBe(500);
  });
});
