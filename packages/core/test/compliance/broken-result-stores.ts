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

/** What is wrong, the promise that it breaks, and how. */
export const BROKEN: readonly (readonly [what: string, promise: string, breakage: Breakage])[] = [
  [
    'takes an empty result for none',
    'gives back an empty result as an empty result, not as a miss',
    (sound) => ({
      get: async (...args) => {
        const found = await sound.get(...args);
        return found?.body.sizes.join() === '0' ? undefined : found;
      },
    }),
  ],
  [
    'loses the last byte of a large result',
    'gives back results of many sizes as they were put',
    (sound) => ({
      put: withParts(sound, (parts) =>
        parts.map((part) => (part.byteLength > 1024 * 1024 ? part.subarray(1) : part)),
      ),
    }),
  ],
  [
    'leaves out empty buffers',
    'keeps head and buffers apart, empty ones too',
    (sound) => ({
      put: withParts(sound, (parts) => parts.filter((part, at) => at === 0 || part.byteLength > 0)),
    }),
  ],
  [
    'keeps only the first thousand buffers',
    'keeps a result of very many buffers',
    (sound) => ({ put: withParts(sound, (parts) => parts.slice(0, 1000)) }),
  ],
  [
    'looks at the first half of a key only',
    'keeps results under different keys apart',
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
    'keeps bytes of its own: what the caller does with them after put changes nothing',
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
    'keeps the first result of a key and says that it was present',
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
    'lets exactly one of many writers at once win',
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
    'keeps a body whatever its chunks are',
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
    'refuses a body that ends too early, and keeps nothing of it',
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
    'passes on why a body failed in the middle, and keeps nothing of it',
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
    'keeps nothing of a put that is aborted in the middle',
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
    'gives up a put that is aborted while its body does not go on',
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
    'says when there was nothing to delete',
    (sound) => ({ delete: (key) => sound.delete(key).then(() => true) }),
  ],
  [
    'counts its own bytes in a list',
    'lists every result once, with its metadata and its number of bytes',
    (sound) => ({
      async *list() {
        for await (const entry of sound.list()) yield { ...entry, byteLength: entry.byteLength + 64 };
      },
    }),
  ],
  [
    'loses its place when something is deleted while it lists',
    'goes on listing while results come and go',
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
    'refuses a key that is not 64 lower-case hex digits, whatever is asked',
    (sound) => ({ has: (key) => sound.has(key.toLowerCase()) }),
  ],
  [
    'has the identity of all its kind',
    'has an identity that no other place has',
    () => ({ identity: 'memory:all' }),
  ],
  [
    'says that it is durable',
    'declares the capabilities by which it is tested',
    () => ({ capabilities: { durable: true, shared: false } }),
  ],
  [
    'closes without waiting',
    'waits in close for a put that is under way',
    (sound) => ({
      close: async () => {
        void sound.close();
      },
    }),
  ],
  [
    'still answers has after close',
    'refuses everything after close',
    (sound) => {
      let closed = false;
      return {
        close: () => sound.close().then(() => void (closed = true)),
        has: (key) => (closed ? Promise.resolve(false) : sound.has(key)),
      };
    },
  ],
  [
    'never completes its events',
    'completes its events at close, without an error',
    () => ({ events$: NEVER }),
  ],
];
