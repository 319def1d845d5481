import { describe, it } from 'vitest';
import { engineCompliance } from '../../src/compliance/engine.ts';

describe('the local engine', () => {
  engineCompliance({ describe, it }, { plugins: () => [] });
});
