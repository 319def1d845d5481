/** One way of doing the work of a question. */
export interface Contender {
  readonly name: string;
  /** Does the work that many times, and checks its answers. */
  readonly run: (times: number) => Promise<void>;
}

/** What one contender took. */
export interface Measured {
  readonly name: string;
  /** Microseconds an operation, unless the question says another unit: median, least and most of the rounds. */
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

const ROUNDS = 7;

/**
 * Measures contenders round by round in turn, so that a machine that slows down slows all of them, after one round
 * that warms up and is not counted.
 * @param times - operations a round.
 */
export async function measure(contenders: readonly Contender[], times: number): Promise<Measured[]> {
  const samples = contenders.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [index, contender] of contenders.entries()) {
      const startedAt = performance.now();
      await contender.run(times);
      const microseconds = ((performance.now() - startedAt) * 1_000) / times;
      if (round > 0) samples[index]?.push(microseconds);
    }
  }
  return contenders.map(({ name }, index) => summarise(name, samples[index] ?? []));
}

/** Median, least and most of some samples. */
export function summarise(name: string, samples: readonly number[]): Measured {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { name, median: at(0.5), least: at(0), most: at(1) };
}

/** Keeps that many operations under way until all are done. */
export async function inFlight(
  times: number,
  width: number,
  operation: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < times) {
      next += 1;
      await operation(next);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** Fails the benchmark when an answer is wrong: a benchmark of wrong answers is worth nothing. */
export function expectEqual(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error(`Wrong answer: ${String(actual)} in place of ${String(expected)}`);
}
