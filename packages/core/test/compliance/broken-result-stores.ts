import { NEVER } from 'rxjs';
import { MemoryStore } from '../../src/cache/memory-store.ts';
import { type Body, bodyOf, encodedOfParts } from '../../src/model/body.ts';
import type { StoredResult } from '../../src/model/result.ts';
import type { ResultStore } from '../../src/ports/result-store.ts';

type Put = ResultStore['put'];
/** What a store does in its own, wrong way. */
export type Breakage = (sound: MemoryStore) => Partial<ResultStore>;

let stores = 0;

/** A store that keeps every promise but what `breakage` puts in place of its methods. */
export function brokenBy(breakage: Breakage): ResultStore {
  stores += 1;
  const sound = new MemoryStore({ id: String(stores), node: 'client', clock: { now: () => 0 } });
  return {
    name: sound.name,
    identity: sound.identity,
    capabilities: sound.capabilities,
    events$: sound.events$,
    get: (...args) => sound.get(...args),
    put: (...args) => sound.put(...args),
    has: (key) => sound.has(key),
    delete: (key) => sound.delete(key),
    pin: (key, pinned) => sound.pin(key, pinned),
    list: () => sound.list(),
    close: () => sound.close(),
    ...breakage(sound),
  };
}

/** `put` with another body in place of one that is in memory. */
function withParts(sound: MemoryStore, change: (parts: readonly Uint8Array[]) => Uint8Array[]): Put {
  return (key, result, options) => {
    const { parts } = result.body;
    const body = parts ? bodyOf(encodedOfParts(change(parts))) : result.body;
    return sound.put(key, { ...result, body }, options);
  };
}

/** A body whose chunks are what `change` makes of those of another. */
function withChunks(
  body: Body,
  change: (from: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): Body {
  const { byteLength, sizes } = body;
  return { byteLength, sizes, chunks: () => change(body.chunks()) };
}

/** What is wrong, the case that finds it, and how. */
export const BROKEN: readonly (readonly [what: string, id: string, breakage: Breakage])[] = [
  [
    'takes an empty result for none',
    'result-store/results/empty',
    (sound) => ({
      get: async (...args) => {
        const found = await sound.get(...args);
        return found?.body.sizes.join() === '0' ? undefined : found;
      },
    }),
  ],
  [
    'loses the last byte of a large result',
    'result-store/results/sizes',
    (sound) => ({
      put: withParts(sound, (parts) =>
        parts.map((part) => (part.byteLength > 1024 * 1024 ? part.subarray(1) : part)),
      ),
    }),
  ],
  [
    'leaves out empty buffers',
    'result-store/results/parts',
    (sound) => ({
      put: withParts(sound, (parts) => parts.filter((part, at) => at === 0 || part.byteLength > 0)),
    }),
  ],
  [
    'keeps only the first thousand buffers',
    'result-store/results/many-buffers',
    (sound) => ({ put: withParts(sound, (parts) => parts.slice(0, 1000)) }),
  ],
  [
    'looks at the first half of a key only',
    'result-store/results/keys-apart',
    (sound) => {
      const halved = (key: string): string => (key.startsWith('000') ? key.slice(0, 32).repeat(2) : key);
      return {
        get: (key, options) => sound.get(halved(key), options),
        put: (key, result, options) => sound.put(halved(key), result, options),
      };
    },
  ],
  [
    'keeps the bytes of the caller instead of its own',
    'result-store/results/own-copy',
    (sound) => {
      const borrowed = new Map<string, StoredResult>();
      return {
        put: async (key, result, options) => {
          const outcome = await sound.put(key, result, options);
          if (outcome === 'stored' && result.body.parts) borrowed.set(key, result);
          return outcome;
        },
        get: async (key, options) => {
          const found = await sound.get(key, options);
          return found && (borrowed.get(key) ?? found);
        },
        delete: (key) => {
          borrowed.delete(key);
          return sound.delete(key);
        },
      };
    },
  ],
  [
    'keeps the newest result of a key',
    'result-store/results/first-wins',
    (sound) => ({
      put: async (key, result, options) => {
        if (!result.body.parts) return sound.put(key, result, options);
        const present = await sound.get(key, options);
        if (!present || present.metadata.createdAt >= result.metadata.createdAt)
          return sound.put(key, result, options);
        await sound.delete(key);
        await sound.put(key, result, options);
        return 'present';
      },
    }),
  ],
  [
    'looks whether there is a result, waits, and then writes',
    'result-store/results/race',
    (sound) => ({
      put: async (key, result, options) => {
        if (!result.body.parts || (await sound.has(key))) return sound.put(key, result, options);
        await sound.delete(key);
        await sound.put(key, result, options);
        return 'stored';
      },
    }),
  ],
  [
    'keeps chunks that are only lent',
    'result-store/bodies/chunkings',
    (sound) => ({
      put: (key, result, options) => {
        if (result.body.parts || result.body.byteLength < 200_000) return sound.put(key, result, options);
        const body = withChunks(result.body, async function* (chunks) {
          const lent: Uint8Array[] = [];
          for await (const chunk of chunks) lent.push(chunk);
          yield* lent;
        });
        return sound.put(key, { ...result, body }, options);
      },
    }),
  ],
  [
    'fills up with zeros what a body did not give',
    'result-store/bodies/too-short',
    (sound) => ({
      put: (key, result, options) => {
        if (result.body.parts) return sound.put(key, result, options);
        const body = withChunks(result.body, async function* (chunks) {
          let missing = result.body.byteLength;
          for await (const chunk of chunks) {
            missing -= chunk.byteLength;
            yield chunk;
          }
          if (missing > 0) yield new Uint8Array(missing);
        });
        return sound.put(key, { ...result, body }, options);
      },
    }),
  ],
  [
    'keeps what came of a body that failed',
    'result-store/bodies/source-fails',
    (sound) => ({
      put: async (key, result, options) => {
        if (result.body.parts) return sound.put(key, result, options);
        let failure: { readonly error: unknown } | undefined;
        const body = withChunks(result.body, async function* (chunks) {
          let missing = result.body.byteLength;
          try {
            for await (const chunk of chunks) {
              missing -= chunk.byteLength;
              yield chunk;
            }
          } catch (error) {
            failure = { error };
            yield new Uint8Array(missing);
          }
        });
        const outcome = await sound.put(key, { ...result, body }, options);
        if (failure) throw failure.error;
        return outcome;
      },
    }),
  ],
  [
    'says that a put was aborted, and goes on with it',
    'result-store/bodies/aborted-in-middle',
    (sound) => ({
      put: (key, result, options) => {
        const signal = options?.signal;
        if (!signal || signal.aborted) return sound.put(key, result, options);
        const aborted = new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
        return Promise.race([aborted, sound.put(key, result)]);
      },
    }),
  ],
  [
    'sees between two chunks only that it was aborted',
    'result-store/bodies/aborted-while-stalled',
    (sound) => ({
      put: (key, result, options) => {
        const signal = options?.signal;
        if (!signal || result.body.parts) return sound.put(key, result, options);
        signal.throwIfAborted();
        const body = withChunks(result.body, async function* (chunks) {
          for await (const chunk of chunks) {
            signal.throwIfAborted();
            yield chunk;
          }
        });
        return sound.put(key, { ...result, body });
      },
    }),
  ],
  [
    'always says that there was something to delete',
    'result-store/entries/nothing-to-delete',
    (sound) => ({ delete: (key) => sound.delete(key).then(() => true) }),
  ],
  [
    'counts its own bytes in a list',
    'result-store/entries/listed',
    (sound) => ({
      async *list() {
        for await (const entry of sound.list()) yield { ...entry, byteLength: entry.byteLength + 64 };
      },
    }),
  ],
  [
    'loses its place when something is deleted while it lists',
    'result-store/entries/changing',
    (sound) => {
      let deleted = 0;
      return {
        delete: (key) => {
          deleted += 1;
          return sound.delete(key);
        },
        async *list() {
          const before = deleted;
          for await (const entry of sound.list()) {
            if (deleted > before + 5) return;
            yield entry;
          }
        },
      };
    },
  ],
  [
    'takes upper-case keys',
    'result-store/entries/invalid-key',
    (sound) => ({ has: (key) => sound.has(key.toLowerCase()) }),
  ],
  ['has the identity of all its kind', 'result-store/places/identity', () => ({ identity: 'memory:all' })],
  [
    'says that it is durable',
    'result-store/places/declared',
    () => ({ capabilities: { durable: true, shared: false } }),
  ],
  [
    'closes without waiting',
    'result-store/places/close-waits-for-put',
    (sound) => ({
      close: async () => {
        void sound.close();
      },
    }),
  ],
  [
    'still answers has after close',
    'result-store/places/closed',
    (sound) => {
      let closed = false;
      return {
        close: () => sound.close().then(() => void (closed = true)),
        has: (key) => (closed ? Promise.resolve(false) : sound.has(key)),
      };
    },
  ],
  ['never completes its events', 'result-store/places/events-complete', () => ({ events$: NEVER })],
];
