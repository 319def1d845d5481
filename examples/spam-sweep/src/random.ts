/**
 * Seeded pseudo-random numbers (mulberry32): the same seed gives the same sequence on every machine, which a task needs to
 * be remembered by its arguments.
 *
 * @param seed - any integer; its low 32 bits count.
 * @returns a function that gives the next integer from 0 to `below - 1`; `below` is at most 2^32.
 */
export function seededIntegers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

/** Fisher-Yates, in place. */
export function shuffle(items: Uint32Array, nextBelow: (below: number) => number): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = nextBelow(last + 1);
    const kept = items[last] ?? 0;
    items[last] = items[other] ?? 0;
    items[other] = kept;
  }
}
