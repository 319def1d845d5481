import { SeededIds, SeededRandom, SimulatedClock } from '@routine-engine/transport-inproc/simulation';
import { describe, expect, it } from 'vitest';

const draw = (random: SeededRandom, count = 5): number[] =>
  Array.from({ length: count }, () => random.next());

describe('seeded chance', () => {
  it('repeats itself for the same seed, and differs for others', () => {
    expect(draw(new SeededRandom(7))).toEqual(draw(new SeededRandom(7)));
    expect(draw(new SeededRandom(7))).not.toEqual(draw(new SeededRandom(8)));
    expect(draw(new SeededRandom('seven'))).toEqual(draw(new SeededRandom('seven')));
  });

  it('gives the numbers that it always gave', () => {
    const random = new SeededRandom(1);
    expect(Array.from({ length: 4 }, () => random.integer(0, 999))).toMatchInlineSnapshot(`
      [
        10,
        350,
        394,
        354,
      ]
    `);
  });

  it('is spread evenly, also over seeds that follow one another', () => {
    const mean = (numbers: readonly number[]): number =>
      numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
    expect(mean(draw(new SeededRandom(3), 10_000))).toBeCloseTo(0.5, 1);
    expect(mean(Array.from({ length: 10_000 }, (_, seed) => new SeededRandom(seed).next()))).toBeCloseTo(
      0.5,
      1,
    );
  });

  it('draws for one part what it draws whatever the others draw', () => {
    const [one, other] = [new SeededRandom(5), new SeededRandom(5)];
    draw(one, 100);
    expect(draw(one.fork('network'))).toEqual(draw(other.fork('network')));
    expect(draw(one.fork('network'))).not.toEqual(draw(one.fork('tree')));
  });

  it('keeps to the bounds asked for', () => {
    const random = new SeededRandom(9);
    const drawn = new Set(Array.from({ length: 1_000 }, () => random.integer(2, 4)));
    expect(drawn).toEqual(new Set([2, 3, 4]));
    expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
    expect(random.pick(['only'])).toBe('only');
  });
});

describe('seeded ids', () => {
  const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

  it('are valid, unique and sorted by the time of their making, also when the clock is set back', async () => {
    const clock = new SimulatedClock();
    const ids = new SeededIds(clock, new SeededRandom(1));
    const made: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      for (let n = 0; n < 5_000; n += 1) made.push(ids.next());
      await clock.advance(1);
      clock.jump(-10);
    }
    expect(made.every((id) => UUID_V7.test(id))).toBe(true);
    expect(new Set(made).size).toBe(made.length);
    expect(made.toSorted()).toEqual(made);
  });

  it('carry the time of the clock', () => {
    const clock = new SimulatedClock({ startAt: 0x0123_4567_89ab });
    expect(new SeededIds(clock, new SeededRandom(1)).next()).toMatch(/^01234567-89ab-7000-/);
  });

  it('repeat themselves for the same seed', () => {
    const make = (): string => new SeededIds(new SimulatedClock(), new SeededRandom(3)).next();
    expect(make()).toBe(make());
  });
});
