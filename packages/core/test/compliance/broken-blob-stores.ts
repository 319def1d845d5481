import { createHash } from 'node:crypto';
import type { MemoryStore } from '../../src/cache/memory-store.ts';
import type { StoredBlob } from '../../src/model/stored-blob.ts';
import type { BlobStore, KeptBlob } from '../../src/ports/blob-store.ts';
import { brokenBy } from './broken-result-stores.ts';
import { MemoryBlobs } from './memory-blobs.ts';

/** What a store does with blobs in its own, wrong way; `close` is that of the blobs. */
export type BlobBreakage = (
  sound: MemoryBlobs,
  results: MemoryStore,
) => Partial<BlobStore> & { close?(): Promise<void> };

/** A store that keeps every promise but what `breakage` puts in place of its blobs' methods. */
export function brokenBlobsBy(
  breakage: BlobBreakage,
  sound = new MemoryBlobs(),
): ReturnType<typeof brokenBy> {
  return brokenBy((results) => {
    const broken = breakage(sound, results);
    const blobs: BlobStore = {
      put: (...args) => sound.put(...args),
      get: (...args) => sound.get(...args),
      delete: (digest) => sound.delete(digest),
      list: () => sound.list(),
      ...broken,
    };
    return {
      blobs,
      close: async () => {
        await Promise.all([broken.close ? broken.close() : sound.close(), results.close()]);
      },
    };
  });
}

/** A store whose blobs are read in a wrong way. */
function readBy(sound: BlobStore, chunks: (blob: StoredBlob) => StoredBlob['chunks']): Partial<BlobStore> {
  const changed = (blob: StoredBlob): StoredBlob => ({ ...blob, chunks: chunks(blob) });
  return {
    put: async (...args) => {
      const { blob, outcome } = await sound.put(...args);
      return { blob: changed(blob), outcome };
    },
    get: async (...args) => {
      const blob = await sound.get(...args);
      return blob && changed(blob);
    },
  };
}

async function wholeOf(source: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const KEEPING: readonly (readonly [what: string, id: string, breakage: BlobBreakage])[] = [
  [
    'keeps chunks that are only lent',
    'result-store/blobs/sizes',
    (sound) => ({
      put: async (source, options) => {
        if (source instanceof Uint8Array) return sound.put(source, options);
        const lent: Uint8Array[] = [];
        for await (const chunk of source) lent.push(chunk);
        return sound.put(Buffer.concat(lent), options);
      },
    }),
  ],
  [
    'always says that it stored',
    'result-store/blobs/equal-bytes',
    (sound) => ({
      put: async (...args): Promise<KeptBlob> => ({ ...(await sound.put(...args)), outcome: 'stored' }),
    }),
  ],
  [
    'reads a source although its digest is there',
    'result-store/blobs/known-digest',
    (sound) => ({ put: async (source, options) => sound.put(await wholeOf(source), options) }),
  ],
  [
    'looks whether there is a blob, waits, and then writes',
    'result-store/blobs/race',
    (sound) => ({
      put: async (source, options) => {
        if (!(source instanceof Uint8Array)) return sound.put(source, options);
        const there = await sound.get(digestOf(source));
        const { blob } = await sound.put(source, options);
        return { blob, outcome: there ? 'present' : 'stored' };
      },
    }),
  ],
  [
    'gives the bytes of the caller instead of its own',
    'result-store/blobs/own-copy',
    (sound) => {
      const borrowed = new Map<string, Uint8Array>();
      const readBorrowed = readBy(sound, (blob) => {
        const bytes = borrowed.get(blob.digest);
        if (!bytes) return (options) => blob.chunks(options);
        return async function* () {
          yield bytes;
        };
      });
      return {
        ...readBorrowed,
        put: async (source, options) => {
          const kept = await sound.put(source, options);
          if (source instanceof Uint8Array) borrowed.set(kept.blob.digest, source);
          return kept;
        },
      };
    },
  ],
  [
    'finds results among its blobs',
    'result-store/blobs/apart-from-results',
    (sound, results) => ({
      get: async (digest, options) => {
        const isResult = /^[0-9a-f]{64}$/.test(digest) && (await results.has(digest));
        return isResult ? { digest, byteLength: 10, async *chunks() {} } : sound.get(digest, options);
      },
    }),
  ],
];

const READING: typeof KEEPING = [
  [
    'gives an empty blob where there is none',
    'result-store/blobs/unknown',
    (sound) => ({
      get: async (digest, options) =>
        (await sound.get(digest, options)) ?? { digest, byteLength: 0, async *chunks() {} },
    }),
  ],
  [
    'lets two readers share one place in the bytes',
    'result-store/blobs/two-readers',
    (sound) =>
      readBy(sound, (blob) => {
        const once = blob.chunks();
        return () => once;
      }),
  ],
  [
    'holds on to what was left in the middle',
    'result-store/blobs/left-in-middle',
    (sound) => {
      let held = 0;
      return readBy(
        sound,
        (blob) =>
          async function* (options) {
            if (held === 16) throw new Error('too many files are open');
            held += 1;
            yield* blob.chunks(options);
            held -= 1;
          },
      );
    },
  ],
  [
    'reads on although the signal was aborted',
    'result-store/blobs/aborted-read',
    (sound) => readBy(sound, (blob) => () => blob.chunks()),
  ],
  [
    'ends where a blob is gone, as if it had been read',
    'result-store/blobs/deleted',
    (sound) =>
      readBy(
        sound,
        (blob) =>
          async function* (options) {
            if (await sound.get(blob.digest)) yield* blob.chunks(options);
          },
      ),
  ],
  [
    'counts its own bytes in a list',
    'result-store/blobs/listed',
    (sound) => ({
      async *list() {
        for await (const entry of sound.list()) yield { ...entry, byteLength: entry.byteLength + 1 };
      },
    }),
  ],
];

const REFUSING: typeof KEEPING = [
  [
    'keeps what came of a source that failed',
    'result-store/blobs/source-fails',
    (sound) => ({
      put: async (source, options) => {
        if (source instanceof Uint8Array) return sound.put(source, options);
        const chunks: Uint8Array[] = [];
        try {
          for await (const chunk of source) chunks.push(Uint8Array.from(chunk));
        } finally {
          await sound.put(Buffer.concat(chunks), options);
        }
        return sound.put(Buffer.concat(chunks), options);
      },
    }),
  ],
  [
    'sees between two chunks only that it was aborted',
    'result-store/blobs/aborted-while-stalled',
    (sound) => ({
      put: async (source, options) => {
        options?.signal?.throwIfAborted();
        const kept = await sound.put(source, options?.digest === undefined ? {} : { digest: options.digest });
        options?.signal?.throwIfAborted();
        return kept;
      },
    }),
  ],
  [
    'looks up a blob that is not wanted',
    'result-store/blobs/aborted-before',
    (sound) => ({ get: (digest) => sound.get(digest) }),
  ],
  [
    'takes upper-case digests',
    'result-store/blobs/invalid-digest',
    (sound) => ({ delete: (digest) => sound.delete(digest.toLowerCase()) }),
  ],
  [
    'closes without waiting for blobs',
    'result-store/blob-places/close-waits-for-put',
    (sound) => ({
      close: async () => {
        void sound.close();
      },
    }),
  ],
  [
    'still lists blobs after close',
    'result-store/blob-places/closed',
    (sound) => {
      let closed = false;
      return {
        close: () => sound.close().then(() => void (closed = true)),
        async *list() {
          if (!closed) yield* sound.list();
        },
      };
    },
  ],
  [
    'cannot be closed while a blob is read',
    'result-store/blob-places/close-with-reader',
    (sound) => {
      let readers = 0;
      return {
        ...readBy(
          sound,
          (blob) =>
            async function* (options) {
              readers += 1;
              yield* blob.chunks(options);
              readers -= 1;
            },
        ),
        close: async () => {
          if (readers > 0) throw new Error('a blob is being read');
          await sound.close();
        },
      };
    },
  ],
  [
    'does not look at what it reads',
    'result-store/blob-places/damaged',
    (sound) =>
      readBy(
        sound,
        (blob) =>
          async function* (options) {
            let rest = blob.byteLength;
            for await (const chunk of blob.chunks(options)) {
              rest -= chunk.byteLength;
              yield chunk;
              if (rest === 0) return;
            }
          },
      ),
  ],
];

/** What is wrong, the case that finds it, and how. Some break others as well. */
export const BROKEN_BLOBS: typeof KEEPING = [...KEEPING, ...READING, ...REFUSING];
