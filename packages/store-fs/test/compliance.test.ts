import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { resultStoreCompliance } from '@routine-engine/core/compliance';
import { describe, it } from 'vitest';
import { FsStore } from '../src/fs-store.ts';
import { blobFileOf, fileOf } from './place.ts';

describe.each([true, false])('FsStore with fsync: %s', (fsync) => {
  resultStoreCompliance(
    { describe, it },
    {
      capabilities: { durable: true, shared: true },
      blobs: true,
      leases: true,
      sweeps: true,
      create: async () => {
        const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'store-fs-'));
        const passed = { milliseconds: 0 };
        const now = (): number => Date.now() + passed.milliseconds;
        return {
          dir,
          passed,
          open: async () => new FsStore({ dir, fsync, now, node: 'client' }),
          destroy: async () => fs.rmSync(dir, { recursive: true }),
        };
      },
      elapse: ({ passed }, milliseconds) => {
        passed.milliseconds += milliseconds;
      },
      litter: async ({ dir }) => {
        fs.writeFileSync(path.join(dir, 'v1', 'tmp', 'half.tmp'), 'half a result');
        fs.mkdirSync(path.join(dir, 'v1', 'leases', 'a'.repeat(64)));
        fs.writeFileSync(path.join(dir, 'v1', 'leases', 'a'.repeat(64), '1'), '{}');
      },
      damage: async ({ dir }, key) => {
        const bytes = fs.readFileSync(fileOf(dir, key));
        bytes[bytes.length >> 1]! ^= 1;
        fs.writeFileSync(fileOf(dir, key), bytes);
      },
      damageBlob: async ({ dir }, digest) => {
        const bytes = fs.readFileSync(blobFileOf(dir, digest));
        bytes[bytes.length >> 1]! ^= 1;
        fs.writeFileSync(blobFileOf(dir, digest), bytes);
      },
    },
  );
});
