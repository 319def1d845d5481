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
      create: async () => {
        const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'store-fs-'));
        return {
          dir,
          open: async () => new FsStore({ dir, fsync, now: () => 0, node: 'client' }),
          destroy: async () => fs.rmSync(dir, { recursive: true }),
        };
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
