import { describe, expect, it } from 'vitest';
import { heartbeatLimits, Heartbeats } from '../../src/service/heartbeats.js';
import type { NodeSession } from '../../src/service/node-session.js';
import { Turns } from '../protocol/memory-pipe.js';

describe('heartbeats', () => {
  it('ask each of ten thousand nodes once in a beat, a few at a time', async () => {
    const turns = new Turns();
    const nodes: NodeSession[] = [];
    const asked = new Map<number, number[]>();
    for (let number = 0; number < 10_000; number += 1) {
      const post = (): void => {
        node.lastPulseAt = turns.monotonic();
        asked.set(number, [...(asked.get(number) ?? []), node.lastPulseAt]);
      };
      const node = { number, role: 'worker', lastPulseAt: 0, isAway: false, post } as unknown as NodeSession;
      nodes.push(node);
    }
    const never = (): never => expect.unreachable();
    const heartbeats = new Heartbeats({
      ...{ clock: turns, limits: heartbeatLimits({ heartbeatMs: 2_000 }), nodes: () => nodes },
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
