import type { Measured } from './measure.js';

/** One thing to find out, with its answer. */
export interface Question {
  readonly name: string;
  readonly title: string;
  /** Whether it takes minutes, and so is asked only by name. */
  readonly isLong?: boolean;
  /** Figures of the answer, ours first. */
  ask(): Promise<Answer>;
}

export interface Answer {
  readonly measured: readonly Measured[];
  /** What is measured. Default: microseconds an operation. */
  readonly unit?: string;
  /** Lines that say how ours stands to the figures to reach. */
  readonly verdicts: readonly string[];
}

/** `ours is 1.4 x raw (figure: <= 1.5)`. */
export function ratio(measured: readonly Measured[], to: string, figure: string): string {
  const [ours] = measured;
  const other = measured.find((each) => each.name === to);
  if (!ours || !other) throw new Error(`No figures of ${to}`);
  return `${ours.name} takes ${(ours.median / other.median).toFixed(2)} x ${to} (to reach: ${figure})`;
}

/** Speeds in MiB/s of what took microseconds. @param mebibytes - how much one operation moves. */
export function speeds(measured: readonly Measured[], mebibytes: number): Measured[] {
  const speed = (microseconds: number): number => (mebibytes * 1_000_000) / microseconds;
  return measured.map(({ name, median, least, most }) => ({
    name,
    median: speed(median),
    least: speed(most),
    most: speed(least),
  }));
}

/** `ours is 0.9 x as fast as raw (to reach: >= 0.7)`. */
export function speedRatio(measured: readonly Measured[], to: string, figure: string): string {
  const [ours] = measured;
  const other = measured.find((each) => each.name === to);
  if (!ours || !other) throw new Error(`No figures of ${to}`);
  return `${ours.name} is ${(ours.median / other.median).toFixed(2)} x as fast as ${to} (to reach: ${figure})`;
}
