import {
  everythingRemote,
  executionPolicy,
  Lifecycle,
  type EngineEvent,
  type EnginePlugin,
} from '@routine-engine/core';
import { ADAPTER_API_VERSION, provide, type PartGetter, type Token } from '@routine-engine/core/adapter';
import { SERVICE, service, worker, WORKER, type WorkerOptions } from '@routine-engine/core/host';
import { InprocTransport, inprocTransport } from '@routine-engine/transport-inproc';
import { beforeEach, describe, expect, it } from 'vitest';
import { add } from './fixtures/routines.ts';

const ADDRESS = 'inproc:service';
const MODULES = [new URL('./fixtures/routines.ts', import.meta.url)];

let transport: InprocTransport;
beforeEach(() => (transport = new InprocTransport()));

const linked = (): EnginePlugin => inprocTransport({ transport, address: ADDRESS });

/** Shows the parts of a composition to a test. */
function shown(look: (parts: PartGetter) => void): EnginePlugin {
  const token: Token<true> = Symbol('shown');
  const part = provide(token, (parts) => {
    look(parts);
    return true;
  });
  return { name: 'shown', api: `^${ADAPTER_API_VERSION}`, parts: [part] };
}

function init(name: string, ...plugins: EnginePlugin[]): Promise<Lifecycle> {
  return Lifecycle.init({ project: 'test', name, plugins });
}

function happens(lifecycle: Lifecycle, type: EngineEvent['type']): Promise<EngineEvent> {
  return new Promise((resolve) => {
    const subscription = lifecycle.events$.subscribe((event) => {
      if (event.type !== type) return;
      subscription.unsubscribe();
      resolve(event);
    });
  });
}

describe('a service and a worker, each in a lifecycle of its own', () => {
  it('run what a client requests', async () => {
    await using _service = await init('the-service', linked(), service());
    await using _worker = await init('the-worker', linked(), worker({ modules: MODULES, slots: 2 }));
    await using client = await init('client', linked(), executionPolicy(everythingRemote));
    expect(await client.call('tname:add:1.0.0', [20, 22])).toBe(42);
    expect(await client.runs.workers()).toMatchObject([{ name: 'the-worker', slots: 2, status: 'IDLE' }]);
  });

  it('are no clients: what is called in them runs there', async () => {
    await using lifecycle = await init('the-service', linked(), service());
    expect(await lifecycle.run(() => add(1, 2))).toBe(3);
    expect(await lifecycle.runs.workers()).toEqual([]);
  });

  it('lets runs in hand end while the worker shuts down', async () => {
    await using _service = await init('the-service', linked(), service());
    const lifecycle = await init('the-worker', linked(), worker({ modules: MODULES }));
    await using client = await init('client', linked(), executionPolicy(everythingRemote));
    const told: string[] = [];
    client.events$.subscribe(({ type }) => told.push(type));
    const starting = happens(client, 'run.starting');
    const result = client.call('tname:naps:1.0.0', [100]);
    await starting;
    await lifecycle.shutdown();
    expect(await result).toBe(100);
    expect(told).not.toContain('run.retrying');
  });

  it('gives runs back at once where there is no grace', async () => {
    await using _service = await init('the-service', linked(), service());
    const first = await init('first', linked(), worker({ modules: MODULES, graceMs: 0 }));
    await using client = await init('client', linked(), executionPolicy(everythingRemote));
    const starting = happens(client, 'run.starting');
    const retrying = happens(client, 'run.retrying');
    const result = client.call('tname:naps:1.0.0', [500]);
    await starting;
    await first.shutdown();
    await using _second = await init('second', linked(), worker({ modules: MODULES }));
    await retrying;
    expect(await result).toBe(500);
  });
});

describe('a service and workers in one lifecycle', () => {
  it('start and stop in the order of who dials whom, whatever the order of the plugins', async () => {
    const names = (parts: PartGetter): string[] => parts.all(WORKER).map(({ name }) => name);
    let seen: string[] = [];
    let serves: (() => number) | undefined;
    const lifecycle = await init(
      'both',
      worker({ modules: MODULES, name: 'one' }),
      worker({ modules: MODULES, name: 'two', labels: { gpu: 'a100' } }),
      service({ queuedRuns: 5 }),
      linked(),
      shown((parts) => {
        seen = names(parts);
        const made = parts.get(SERVICE);
        serves = () => made.workers.length;
      }),
    );
    expect(seen).toEqual(['one', 'two']);
    expect(serves?.()).toBe(2);
    await using client = await init('client', linked(), executionPolicy(everythingRemote));
    const labels = { gpu: 'a100' };
    const starting = happens(client, 'run.starting');
    expect(await client.call('tname:add:1.0.0', [1, 1], { labels })).toBe(2);
    expect(await starting).toMatchObject({ worker: 'two' });
    await lifecycle.shutdown();
    expect(serves?.()).toBe(0);
  });
});

describe('a composition that can be no node', () => {
  it.each([
    ['a service that nobody could reach', () => service()],
    ['a worker that can reach nobody', () => worker({ modules: MODULES })],
  ])('is refused: %s', async (_, plugin) => {
    await expect(init('alone', plugin())).rejects.toMatchObject({
      code: 'PLUGIN_MISSING',
      message: expect.stringMatching(/core (service|worker)\(\) needs a transport/),
    });
  });

  it.each<[Partial<WorkerOptions>, RegExp]>([
    [{ slots: 0 }, /worker: slots is 0; it must be a whole number from 1 to 1024/],
    [{ slots: 1.5 }, /worker: slots is 1\.5/],
    [{ graceMs: Number.NaN }, /worker: graceMs is NaN/],
    [{ modules: [] }, /worker: modules must list at least one module/],
  ])('is refused for the options %o', (options, message) => {
    expect(() => worker({ modules: MODULES, ...options })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringMatching(message) }),
    );
  });

  it('has closed the listeners that were open when another fails to open', async () => {
    const listen = () => transport.listen(ADDRESS);
    await expect(init('twice', service({ listeners: [listen, listen] }))).rejects.toMatchObject({
      code: 'TRANSPORT_ADDRESS_IN_USE',
    });
    await using _again = await init('once', service({ listeners: [listen] }));
  });
});
