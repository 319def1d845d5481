import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { resultStoreCompliance } from '@routine-engine/core/compliance';
import sqlite from 'node-sqlite3-wasm';
import { SqliteStore } from '../src/index.js';

resultStoreCompliance(
  { describe, it: (name, run, timeoutMs) => void it(name, { timeout: timeoutMs }, run) },
  {
    capabilities: { durable: true, shared: true },
    create: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'store-sqlite-'));
      const file = join(folder, 'results.db');
      return {
        file,
        open: async () => new SqliteStore({ file, clock: Date, node: 'client' }),
        destroy: () => rm(folder, { recursive: true }),
      };
    },
    damage: async ({ file }, key) => {
      const database = new sqlite.Database(file);
      const row = database.get('SELECT bytes FROM results WHERE key = ?', key);
      const bytes = row?.['bytes'] as Uint8Array;
      const middle = bytes.byteLength >> 1;
      bytes[middle] = (bytes[middle] ?? 0) ^ 1;
      database.run('UPDATE results SET bytes = ? WHERE key = ?', [bytes, key]);
      database.close();
    },
  },
);
