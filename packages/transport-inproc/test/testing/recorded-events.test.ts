import { define, type EngineEvent } from '@routine-engine/core';
import { SimulatedClock } from '@routine-engine/transport-inproc/simulation';
import {
  eventLine,
  readEvents,
  replayEvents,
  testCluster,
  timelineOf,
} from '@routine-engine/transport-inproc/testing';
import { describe, expect, it } from 'vitest';

const lines: string[] = [];
const says = define.task({ name: 'says', version: '1.0.0' }, (text: string) => {
  if (text === '') throw new RangeError('nothing', { cause: 'no words' });
  return text;
});
const talk = define.workflow({ name: 'talk' }, async (...texts: string[]) => {
  for (const text of texts) await says(text);
});

async function record(): Promise<readonly EngineEvent[]> {
  lines.length = 0;
  await using cluster = await testCluster({ workers: 1 });
  cluster.events$.subscribe((event) => lines.push(eventLine(event)));
  const before = cluster.events.length;
  await cluster.run(() => talk('one', 'two', '').catch(() => undefined));
  return cluster.events.slice(before);
}

describe('recorded events', () => {
  it('are read back as they were told', async () => {
    const told = await record();
    expect(told.some(({ type }) => type === 'run.failed')).toBe(true);
    expect(readEvents(lines.slice(0, told.length).join(''))).toEqual(told);
    expect(timelineOf(readEvents(lines.join(''))).runsOf('says')).toHaveLength(3);
  });

  it('may have empty lines and a last one that was cut off', async () => {
    await record();
    const [first = '', second = ''] = lines;
    expect(readEvents(`${first}\n\r\n${second.trimEnd()}`)).toHaveLength(2);
    expect(readEvents(`${first}${second.slice(0, 20)}`)).toHaveLength(1);
    expect(readEvents('')).toEqual([]);
  });

  it.each([
    ['{"type":"run.log"', 'Line 2 of the recorded events is no JSON'],
    ['7', 'Line 2 of the recorded events is no event'],
    ['null', 'Line 2 of the recorded events is no event'],
    ['{"type":"run.log","node":"a","at":"now"}', 'a type, a node and a time'],
  ])('refuse %s', (line, message) => {
    const text = `{"type":"run.log","node":"a","at":0}\n${line}\n{"type":"run.log","node":"a","at":0}`;
    expect(() => readEvents(text)).toThrow(
      expect.objectContaining({ code: 'BYTES_MALFORMED', message: expect.stringContaining(message) }),
    );
  });

  it('are told again to each subscriber, all at once', async () => {
    const told = await record();
    const again = replayEvents(told);
    for (let subscriber = 1; subscriber <= 2; subscriber += 1) {
      const heard: EngineEvent[] = [];
      let isOver = false;
      again.subscribe({ next: (event) => heard.push(event), complete: () => (isOver = true) });
      expect([heard, isOver]).toEqual([told, true]);
    }
  });

  it('are told again at the times between them, until nobody listens', async () => {
    const event = (at: number): EngineEvent => ({ type: 'service.queue', at, node: 'service', waiting: at });
    const clock = new SimulatedClock();
    const heard: number[] = [];
    const again = replayEvents([event(1_000), event(1_250), event(1_200), event(3_200), event(9_000)], {
      clock,
    });
    const subscription = again.subscribe(() => heard.push(clock.monotonic()));
    await clock.advance(5_000);
    expect(heard).toEqual([0, 250, 250, 2_250]);
    subscription.unsubscribe();
    await clock.advance(50_000);
    expect(heard).toHaveLength(4);
  });
});
