/** Bytes that a run needs and some node may have at hand. Plain data. */
export interface RunInput {
  /** Key of a kept result, or SHA-256 of a part of a value: 64 lower-case hex digits. */
  readonly digest: string;
  readonly byteLength: number;
}

/** Most inputs that a request names, the largest ones. */
export const MOST_INPUTS = 16;

/** The inputs that are worth being near to, the largest first; `undefined` for none. */
export function largestInputs(
  inputs: readonly RunInput[],
  leastBytes: number,
): readonly RunInput[] | undefined {
  const large = inputs.filter(({ byteLength }) => byteLength >= leastBytes);
  if (large.length === 0) return undefined;
  return large.toSorted((a, b) => b.byteLength - a.byteLength).slice(0, MOST_INPUTS);
}
