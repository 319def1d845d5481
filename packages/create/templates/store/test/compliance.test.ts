import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { resultStoreCompliance } from '@routine-engine/core/compliance';
import { FileStore } from '../src/index.js';

resultStoreCompliance(
  { describe, it: (name, run, timeout) => void it(name, { timeout }, run) },
  {
    capabilities: { durable: true, shared: true },
    create: async () => {
      const directory = await mkdtemp(join(tmpdir(), 'file-store-'));
      return {
        directory,
        open: async () => new FileStore({ directory, clock: Date, node: 'client' }),
        destroy: () => rm(directory, { recursive: true }),
      };
    },
    damage: async ({ directory }, key) => {
      const path = join(directory, `${key}.result`);
      const bytes = await readFile(path);
      const middle = bytes.byteLength >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      await writeFile(path, bytes);
    },
  },
);
