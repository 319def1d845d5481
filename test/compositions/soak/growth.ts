/** One figure of a process, sample by sample. */
export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

/** How a figure went in the second half, when caches are full and code is compiled. */
export interface Growth {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** By how much it grew in the second half, as the slope says. */
  readonly grown: number;
  /** The least that it grew, with 97.5 % certainty. */
  readonly atLeast: number;
  /** As much is no growth: chance has it. `undefined` for what is told and not judged. */
  readonly allowed: number | undefined;
  readonly isGrowth: boolean;
}

const MEBIBYTE = 1024 * 1024;
/** What memory may seem to grow by, since it comes in pages and the garbage collector has its own mind. */
const ALLOWED_BYTES: Readonly<Record<string, number>> = {
  rss: 16 * MEBIBYTE,
  heapUsed: 2 * MEBIBYTE,
  external: 2 * MEBIBYTE,
  arrayBuffers: 2 * MEBIBYTE,
};
/** Of anything that is counted. */
const ALLOWED_COUNT = 0.5;
/** With fewer samples of the second half nothing is said of memory: a process that has just begun still grows. */
const MEMORY_SAMPLES = 20;
/** Of the normal distribution: 95 % lie between this and its opposite. */
const QUANTILE = 1.96;

/** Judges by the slope of Theil and Sen, which a few outliers don't move, and by its interval of confidence. */
export function growthOf({ name, values }: Series): Growth {
  const half = values.slice(Math.floor(values.length / 2));
  const slopes = half
    .flatMap((from, at) => half.slice(at + 1).map((to, index) => (to - from) / (index + 1)))
    .toSorted((a, b) => a - b);
  const spans = half.length - 1;
  const at = (rank: number): number => slopes[Math.max(0, Math.floor(rank))] ?? 0;
  const grown = at(slopes.length / 2) * spans;
  const atLeast = at(lowerRank(half.length, slopes.length)) * spans;
  const bytes = ALLOWED_BYTES[name];
  const isJudged = bytes === undefined || half.length >= MEMORY_SAMPLES;
  const allowed = isJudged ? (bytes ?? ALLOWED_COUNT) : undefined;
  return {
    ...{ name, grown, atLeast, allowed },
    first: half[0] ?? Number.NaN,
    last: half.at(-1) ?? Number.NaN,
    isGrowth: allowed !== undefined && grown > allowed && atLeast > 0,
  };
}

/** Rank of the lower bound among the slopes (Sen, 1968). */
function lowerRank(samples: number, slopes: number): number {
  const deviation = Math.sqrt((samples * (samples - 1) * (2 * samples + 5)) / 18);
  return (slopes - QUANTILE * deviation) / 2;
}
