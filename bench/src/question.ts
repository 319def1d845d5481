import type { Measured } from './measure.js';

/** One thing to find out, with its answer. */
export interface Question {
  readonly name: string;
  readonly title: string;
  /** Figures of the answer, ours first. */
  ask(): Promise<Answer>;
}

export interface Answer {
  readonly measured: readonly Measured[];
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
