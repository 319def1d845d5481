import { describe, expect, it } from 'vitest';
import {
  currentRun,
  define,
  Lifecycle,
  memoryStore,
  type EngineEvent,
  type EnginePlugin,
} from '../../src/index.js';
import {
  ADAPTER_API_VERSION,
  CLOCK,
  CODEC,
  provide,
  RESULT_STORE,
  SERVICE_ADDRESS,
  TRANSPORT,
  type Token,
} from '../../src/adapter.js';

const double = define.task({ name: 'double', version: '1.0.0' }, (n: number) => n * 2);
const whoAmI = define.workflow({ name: 'who-am-i' }, () => currentRun().routineId);

const plugin = (
  name: string,
  parts: EnginePlugin['parts'],
  more: Partial<EnginePlugin> = {},
): EnginePlugin => ({
  name,
  api: `^${ADAPTER_API_VERSION}`,
  parts,
  ...more,
});
const token = <T>(name: string): Token<T> => Symbol.for(`test/${name}`) as Token<T>;
const init = (...plugins: EnginePlugin[]): Promise<Lifecycle> => Lifecycle.init({ project: 'test', plugins });

describe('a call', () => {
  it('runs under an implicit local lifecycle when none is open', async () => {
    expect(await double(21)).toBe(42);
    expect(await whoAmI()).toBe('wfname:local:who-am-i');
  });

  it('runs under the one lifecycle that is open', async () => {
    await using _ = await init();
    expect(await whoAmI()).toBe('wfname:test:who-am-i');
  });

  it('is refused while several are open, unless it says which it means', async () => {
    await using one = await Lifecycle.init({ project: 'one' });
    await using two = await Lifecycle.init({ project: 'two' });
    await expect(whoAmI()).rejects.toMatchObject({
      code: 'LIFECYCLE_AMBIGUOUS',
      message: expect.stringMatching(/one\/client.*two\/client/),
    });
    const [ofOne, ofTwo] = await Promise.all([one.run(() => whoAmI()), two.run(() => whoAmI())]);
    expect([ofOne, ofTwo]).toEqual(['wfname:one:who-am-i', 'wfname:two:who-am-i']);
  });

  it('keeps to its lifecycle after an await', async () => {
    await using one = await Lifecycle.init({ project: 'one' });
    await using _ = await Lifecycle.init({ project: 'two' });
    const later = one.run(async () => {
      await Promise.resolve();
      return whoAmI();
    });
    expect(await later).toBe('wfname:one:who-am-i');
  });

  it('is refused after the lifecycle was shut down', async () => {
    const lifecycle = await init();
    await lifecycle.shutdown();
    await expect(lifecycle.run(() => double(1))).rejects.toMatchObject({ code: 'LIFECYCLE_CLOSED' });
  });
});

describe('lifecycles in one process', () => {
  it('share neither results nor events', async () => {
    await using one = await Lifecycle.init({ project: 'one' });
    await using two = await Lifecycle.init({ project: 'one' });
    const seen: EngineEvent[] = [];
    two.events$.subscribe((event) => seen.push(event));
    await one.run(() => double(3));
    expect(seen).toEqual([]);
    await two.run(() => double(3));
    expect(seen.map((event) => event.type)).toContain('run.completed');
  });
});

describe('init', () => {
  it.each([
    ['no plugin at all', undefined, 'PLUGIN_INVALID'],
    ['a factory that was not called', memoryStore, 'PLUGIN_INVALID'],
    ['a plugin without an api range', { name: 'x', parts: [] }, 'PLUGIN_INVALID'],
    ['a plugin for another core', plugin('old', [], { api: '^99.0.0' }), 'PLUGIN_INCOMPATIBLE'],
  ])('refuses %s', async (_, given, code) => {
    await expect(init(given as EnginePlugin)).rejects.toMatchObject({ code });
  });

  it('refuses two plugins that provide the same part, and names both', async () => {
    const [one, two] = ['one', 'two'].map((name) =>
      plugin(name, [provide(RESULT_STORE, () => ({}) as never)]),
    );
    await expect(init(one!, two!)).rejects.toMatchObject({
      code: 'PLUGIN_DUPLICATE',
      message: 'one and two both provide the result store: leave one of them out',
    });
  });

  it('refuses a plugin whose needs nobody provides, and says what to add', async () => {
    await expect(init(plugin('needy', [], { needs: [TRANSPORT] }))).rejects.toMatchObject({
      code: 'PLUGIN_MISSING',
      message: expect.stringMatching(/needy needs a transport.*embeddedCluster\(\)/),
    });
  });

  it('refuses a transport without the address of the service, and says so', async () => {
    const transport = plugin('lonely', [provide(TRANSPORT, () => ({}) as never)]);
    await expect(init(transport)).rejects.toMatchObject({
      code: 'PLUGIN_MISSING',
      message: expect.stringContaining('address of the service'),
    });
  });

  it('refuses parts that need each other in a circle', async () => {
    const [a, b] = [token<unknown>('a'), token<unknown>('b')];
    const circle = plugin('circle', [
      provide(a, (parts) => parts.get(b)),
      provide(b, (parts) => parts.get(a)),
    ]);
    await expect(init(circle)).rejects.toMatchObject({
      code: 'PLUGIN_START_FAILED',
      message: expect.stringContaining('circle'),
    });
  });

  it('names the plugin whose part cannot be built', async () => {
    const broken = plugin('broken', [
      provide(SERVICE_ADDRESS, () => {
        throw new TypeError('no address');
      }),
    ]);
    await expect(init(broken)).rejects.toMatchObject({
      code: 'PLUGIN_START_FAILED',
      message: expect.stringMatching(/service address of broken.*no address/),
      cause: expect.any(TypeError),
    });
  });

  it('lets a plugin take the place of a default part', async () => {
    const at = 1_234_567;
    const clock = plugin('clock', [
      provide(CLOCK, () => ({
        ...{
          now: () => at,
          monotonic: () => at,
          nextTurn: (callback: () => void) => queueMicrotask(callback),
        },
        after: () => ({ cancel: () => undefined }),
      })),
    ]);
    await using lifecycle = await init(clock);
    const seen: number[] = [];
    lifecycle.events$.subscribe((event) => seen.push(event.at));
    await double(5);
    expect(new Set(seen)).toEqual(new Set([at]));
  });

  it('builds each part once', async () => {
    let built = 0;
    const counted = token<number>('counted');
    const parts = [
      provide(counted, () => (built += 1)),
      provide(token<number>('x'), (get) => get.get(counted)),
      provide(token<number>('y'), (get) => get.get(counted)),
    ];
    await using _ = await init(plugin('counting', parts));
    expect(built).toBe(1);
  });

  it('refuses a project that is no name', async () => {
    await expect(Lifecycle.init({ project: '../x' })).rejects.toMatchObject({ code: 'ROUTINE_ID_INVALID' });
  });
});

describe('starting and stopping', () => {
  const steps = (log: string[], name: string, fails: { start?: boolean; stop?: boolean } = {}) => ({
    start: async () => {
      await Promise.resolve();
      log.push(`start ${name}`);
      if (fails.start) throw new Error(`${name} will not start`);
    },
    stop: async () => {
      await Promise.resolve();
      log.push(`stop ${name}`);
      if (fails.stop) throw new Error(`${name} will not stop`);
    },
  });
  const [base, middle, top] = ['base', 'middle', 'top'].map((name) => token<string>(name)) as [
    Token<string>,
    Token<string>,
    Token<string>,
  ];
  /** Given in an order that is not the one of their needs. */
  const tower = (
    log: string[],
    fails: Record<string, { start?: boolean; stop?: boolean }> = {},
  ): EnginePlugin =>
    plugin('tower', [
      provide(top, (parts) => parts.get(middle), steps(log, 'top', fails['top'])),
      provide(middle, (parts) => parts.get(base), steps(log, 'middle', fails['middle'])),
      provide(base, () => 'base', steps(log, 'base', fails['base'])),
    ]);

  it('starts what is needed first, and stops in reverse order', async () => {
    const log: string[] = [];
    const lifecycle = await init(tower(log));
    expect(log).toEqual(['start base', 'start middle', 'start top']);
    await lifecycle.shutdown();
    expect(log.slice(3)).toEqual(['stop top', 'stop middle', 'stop base']);
  });

  it('stops what had started when a part fails to start', async () => {
    const log: string[] = [];
    await expect(init(tower(log, { top: { start: true } }))).rejects.toMatchObject({
      code: 'PLUGIN_START_FAILED',
      message: expect.stringContaining('top will not start'),
    });
    expect(log).toEqual(['start base', 'start middle', 'start top', 'stop middle', 'stop base']);
    expect(await whoAmI()).toBe('wfname:local:who-am-i');
  });

  it('stops every part, and reports every failure', async () => {
    const log: string[] = [];
    const lifecycle = await init(tower(log, { top: { stop: true }, base: { stop: true } }));
    const error = await lifecycle.shutdown().catch((caught: unknown) => caught as Error);
    expect(log.slice(3)).toEqual(['stop top', 'stop middle', 'stop base']);
    expect(error).toMatchObject({
      code: 'LIFECYCLE_STOP_FAILED',
      message: expect.stringMatching(/top will not stop.*base will not stop/),
    });
    expect((error as { cause: AggregateError }).cause.errors).toHaveLength(2);
  });

  it('stops once, however often it is asked', async () => {
    const log: string[] = [];
    const lifecycle = await init(tower(log));
    await Promise.all([lifecycle.shutdown(), lifecycle.shutdown()]);
    await lifecycle[Symbol.asyncDispose]();
    expect(log.filter((line) => line.startsWith('stop'))).toHaveLength(3);
  });

  it('completes the events', async () => {
    const lifecycle = await init();
    let completed = false;
    lifecycle.events$.subscribe({ complete: () => (completed = true) });
    await lifecycle.shutdown();
    expect(completed).toBe(true);
  });
});

describe('the parts', () => {
  it('have the same codec everywhere in a lifecycle', async () => {
    const codecs: unknown[] = [];
    const watching = plugin('watching', [
      provide(token('one'), (parts) => codecs.push(parts.get(CODEC))),
      provide(token('two'), (parts) => codecs.push(parts.get(CODEC))),
    ]);
    await using _ = await init(watching);
    expect(codecs).toHaveLength(2);
    expect(codecs[0]).toBe(codecs[1]);
  });
});
