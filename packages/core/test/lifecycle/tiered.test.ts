import { describe, expect, it } from 'vitest';
import { define, Lifecycle, memoryStore, tiered, type EnginePlugin } from '../../src/index.js';
import {
  contribute,
  NODE_IDENTITY,
  provide,
  RESULT_STORE,
  TRANSPORT,
  type PartGetter,
  type ResultStore,
  type Token,
} from '../../src/adapter.js';
import { MemoryPlace } from '../compliance/memory-place.js';

const EXTRA: Token<string> = Symbol.for('test/extra') as Token<string>;
const double = define.task({ name: 'double', version: '1.0.0' }, (n: number) => n * 2);

/** A plugin with a store and another part, which tells what is done with them. */
function placeStore(name: string, place: MemoryPlace, told: string[] = []): EnginePlugin {
  return {
    name,
    api: '^0.1.0',
    parts: [
      provide(RESULT_STORE, () => place.openNow(), {
        start: () => void told.push(`start ${name}`),
        stop: (store) => {
          told.push(`stop ${name}`);
          return store.close();
        },
      }),
      contribute(EXTRA, (parts) => `${name} on ${parts.get(NODE_IDENTITY).name}`),
    ],
  };
}

/** Takes the parts of a lifecycle out of it. */
function looker(): { plugin: EnginePlugin; parts: () => PartGetter } {
  let seen: PartGetter | undefined;
  const look = (parts: PartGetter): string => {
    seen = parts;
    return 'seen';
  };
  return {
    plugin: {
      name: 'looker',
      api: '^0.1.0',
      parts: [contribute(Symbol.for('test/looker') as Token<string>, look)],
    },
    parts: () => {
      if (!seen) throw new Error('Nothing was built');
      return seen;
    },
  };
}

const init = (...plugins: EnginePlugin[]): Promise<Lifecycle> => Lifecycle.init({ project: 'test', plugins });
const keysIn = async (results: Pick<ResultStore, 'list'>): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of results.list()) keys.push(key);
  return keys;
};

describe('tiered', () => {
  it('has results kept by every store, and answers from the next one when one has lost them', async () => {
    const [near, far] = [new MemoryPlace(), new MemoryPlace()];
    {
      await using _ = await init(tiered([memoryStore(), placeStore('near', near), placeStore('far', far)]));
      expect(await double(1)).toBe(2);
    }
    const [key = ''] = await keysIn(near.results);
    expect(await far.results.has(key)).toBe(true);
    await near.results.delete(key);
    await using lifecycle = await init(
      tiered([memoryStore(), placeStore('near', near), placeStore('far', far)]),
    );
    const types: string[] = [];
    lifecycle.events$.subscribe(({ type }) => types.push(type));
    expect(await double(1)).toBe(2);
    expect(types).toContain('run.cached');
  });

  it('builds, starts and stops each store with its own hooks, and keeps the other parts of its plugin', async () => {
    const told: string[] = [];
    const { plugin, parts } = looker();
    const stores = [placeStore('near', new MemoryPlace(), told), placeStore('far', new MemoryPlace(), told)];
    const lifecycle = await init(tiered(stores), plugin);
    expect(told).toEqual(['start near', 'start far']);
    expect(parts().all(EXTRA)).toEqual(['near on client', 'far on client']);
    const store = parts().get(RESULT_STORE);
    expect(store.name).toBe('tiered');
    await lifecycle.shutdown();
    expect(told).toEqual(['start near', 'start far', 'stop far', 'stop near']);
    await expect(store.has('a'.repeat(64))).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });

  it('stops the stores that had started when another cannot start', async () => {
    const told: string[] = [];
    const broken = placeStore('broken', new MemoryPlace());
    const [store, ...others] = broken.parts;
    const failing = {
      ...broken,
      parts: [{ ...store!, hooks: { start: () => Promise.reject(new Error('no disk')) } }, ...others],
    };
    await expect(init(tiered([placeStore('near', new MemoryPlace(), told), failing]))).rejects.toMatchObject({
      code: 'PLUGIN_START_FAILED',
      message: expect.stringContaining('broken'),
    });
    expect(told).toEqual(['start near', 'stop near']);
  });

  it('has written everything back when the lifecycle has shut down', async () => {
    const [near, far] = [new MemoryPlace(), new MemoryPlace()];
    const stores = [memoryStore(), placeStore('near', near), placeStore('far', far)];
    {
      await using _ = await init(tiered(stores, { write: 'back' }));
      await Promise.all(Array.from({ length: 50 }, (_value, n) => double(n)));
    }
    expect(await keysIn(far.results)).toHaveLength(50);
  });

  it('needs what its plugins need', async () => {
    const needy = { ...placeStore('near', new MemoryPlace()), needs: [TRANSPORT] };
    await expect(init(tiered([needy]))).rejects.toMatchObject({ code: 'PLUGIN_MISSING' });
  });

  it('is refused beside another store', async () => {
    await expect(init(tiered([memoryStore()]), memoryStore())).rejects.toMatchObject({
      code: 'PLUGIN_DUPLICATE',
    });
  });

  it.each([
    ['no stores', () => tiered([]), 'OPTION_INVALID'],
    ['another write', () => tiered([memoryStore()], { write: 'behind' as 'back' }), 'OPTION_INVALID'],
    ['a plugin without a store', () => tiered([{ name: 'x', api: '^0.1.0', parts: [] }]), 'PLUGIN_INVALID'],
    ['what is no plugin', () => tiered([memoryStore as unknown as EnginePlugin]), 'PLUGIN_INVALID'],
    ['a plugin of another time', () => tiered([{ ...memoryStore(), api: '^9.0.0' }]), 'PLUGIN_INCOMPATIBLE'],
  ])('refuses %s at once', (_, make, code) => {
    expect(make).toThrow(expect.objectContaining({ code }));
  });
});
