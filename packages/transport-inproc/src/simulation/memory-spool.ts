import { createHash } from 'node:crypto';
import type { Spool } from '@routine-engine/core/adapter';

const CHUNK_BYTES = 131_072;

/** A spool in memory: a simulation leaves no files behind. @public */
export function memorySpool(): Spool {
  return {
    async put(source) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of source) chunks.push(Uint8Array.from(chunk));
      const bytes = new Uint8Array(Buffer.concat(chunks));
      return {
        digest: createHash('sha256').update(bytes).digest('hex'),
        byteLength: bytes.byteLength,
        async *chunks() {
          for (let from = 0; from < bytes.byteLength; from += CHUNK_BYTES)
            yield bytes.slice(from, from + CHUNK_BYTES);
        },
      };
    },
    close: async () => undefined,
  };
}
