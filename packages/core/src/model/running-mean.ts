/** Weight of the newest value. */
const NEWEST_WEIGHT = 0.2;

/** An exponentially weighted mean with one more value taken in; the first value is the mean itself. */
export function runningMean(mean: number | undefined, newest: number): number {
  return mean === undefined ? newest : mean + (newest - mean) * NEWEST_WEIGHT;
}
