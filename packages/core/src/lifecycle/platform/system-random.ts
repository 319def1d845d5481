import type { Random } from '../../ports/random.js';

/** The runtime's own chance. */
export const systemRandom: Random = { next: () => Math.random() };
