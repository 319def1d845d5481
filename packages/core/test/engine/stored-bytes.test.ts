import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../src/cache/memory-store.js';
import { define, Lifecycle, type EngineEvent } from '../../src/index.js';
import { ADAPTER_API_VERSION, bodyOf, provide, RESULT_STORE } from '../../src/adapter.js';
import { systemClock as clock } from '../../src/lifecycle/platform/system-clock.js';
import type { ResultStore } from '../../src/ports/result-store.js';

const square = define.task({ name: 'square', version: '1.0.0' }, (n: number) => n * n);
const asks = define.workflow({ name: 'asks' }, (n: number) => square(n));

/** Keeps whatever is put as bytes that no codec reads. */
class Scrambling extends MemoryStore {
  scrambles = true;

  override put(...[key, result, options]: Parameters<ResultStore['put']>): Promise<'stored' | 'present'> {
    const body = bodyOf({ head: new Uint8Array([0xc1, 0xc1]), buffers: [] });
    return super.put(key, this.scrambles ? { ...result, body } : result, options);
  }
}

async function open(): Promise<{ store: Scrambling; lifecycle: Lifecycle; types: () => string[] }> {
  const store = new Scrambling({ id: 'scrambling', clock, node: 'test' });
  const plugin = {
    name: 'scrambling',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [provide(RESULT_STORE, () => store)],
  };
  const lifecycle = await Lifecycle.init({ project: 'test', plugins: [plugin] });
  const events: EngineEvent[] = [];
  lifecycle.events$.subscribe((event) => events.push(event));
  return { store, lifecycle, types: () => events.splice(0).map(({ type }) => type) };
}

describe('a stored result that does not decode', () => {
  it('counts as a miss: the call is computed again, and what is kept then is good', async () => {
    const { store, lifecycle, types } = await open();
    expect(await square(3)).toBe(9);
    store.scrambles = false;
    types();
    expect(await square(3)).toBe(9);
    expect(types()).toEqual([
      ...['run.requested', 'store.hit', 'run.cached', 'store.corrupt'],
      ...['run.requested', 'store.miss', 'run.starting', 'store.put', 'run.completed'],
    ]);
    expect(await square(3)).toBe(9);
    expect(types()).toEqual(['run.requested', 'store.hit', 'run.cached']);
    await lifecycle.shutdown();
  });

  it('counts as a miss for a sub-run, too', async () => {
    const { lifecycle } = await open();
    expect([await asks(4), await asks(4)]).toEqual([16, 16]);
    await lifecycle.shutdown();
  });
});
