import { describe, it } from 'vitest';
import { MemoryStore } from '../../src/cache/memory-store.ts';
import { resultStoreCompliance } from '../../src/compliance/result-store.ts';

let places = 0;

describe('MemoryStore', () => {
  resultStoreCompliance(
    { describe, it },
    {
      capabilities: { durable: false, shared: false },
      create: async () => {
        places += 1;
        const id = String(places);
        return {
          open: async () => new MemoryStore({ id, node: 'client', clock: { now: () => 0 } }),
          destroy: async () => {},
        };
      },
    },
  );
});
