import { describe } from 'vitest';
import { testSeeds } from './harness/seeds.ts';

describe('a simulated cluster, part 1 of 4', () => {
  testSeeds(0);
});
