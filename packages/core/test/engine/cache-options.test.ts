import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLOCK, ADAPTER_API_VERSION, provide, RANDOM, type EnginePlugin } from '../../src/adapter.js';
import { define, explain, Lifecycle, provenance, type EngineEvent } from '../../src/index.js';
import { systemClock } from '../../src/lifecycle/platform/system-clock.js';

let ran: string[];
let lifecycle: Lifecycle;
let events: EngineEvent[];
/** What the clock is ahead, in milliseconds. */
let ahead: number;
/** What the next chance is. */
let chance: number;

/** Time and chance as a test says. */
const controlled: EnginePlugin = {
  name: 'controlled',
  api: `^${ADAPTER_API_VERSION}`,
  parts: [
    provide(CLOCK, () => ({ ...systemClock, now: () => systemClock.now() + ahead })),
    provide(RANDOM, () => ({ next: () => chance })),
  ],
};

beforeEach(async () => {
  ran = [];
  ahead = 0;
  chance = 0.5;
  lifecycle = await Lifecycle.init({ project: 'test', plugins: [controlled] });
  events = [];
  lifecycle.events$.subscribe((event) => events.push(event));
});
afterEach(() => lifecycle.shutdown());

const double = define.task({ name: 'double', version: '1.0.0' }, (n: number) => {
  ran.push(`double ${n}`);
  return 2 * n;
});
const shortLived = define.task(
  { name: 'short-lived', version: '1.0.0', cache: { ttlMs: 1_000 } },
  (n: number) => {
    ran.push(`short-lived ${n}`);
    return n;
  },
);
interface Query {
  readonly text: string;
  readonly options?: { readonly verbose?: boolean; readonly limit?: number };
}
const find = define.task(
  { name: 'find', version: '1.0.0', cache: { ignore: ['args[0].options.verbose', 'args[1]'] } },
  ({ text }: Query, label?: string) => {
    ran.push(`find ${text} ${label}`);
    return text.length;
  },
);
const keyed = define.task(
  { name: 'keyed', version: '1.0.0', cache: { key: (url) => new URL(url).pathname } },
  (url: string) => {
    ran.push(`keyed ${url}`);
    return url;
  },
);
let counted = 0;
const counts = define.task({ name: 'counts', version: '1.0.0', cache: { verify: 0.25 } }, (name: string) => {
  counted += 1;
  return { name, values: [1, counted] };
});

describe("cache: 'refresh'", () => {
  it('computes anew and replaces what was kept', async () => {
    let n = 1;
    const changing = define.task({ name: 'changing', version: '1.0.0' }, () => n);
    expect(await changing()).toBe(1);
    n = 2;
    expect(await changing()).toBe(1);
    expect(await changing.with({ cache: 'refresh' })()).toBe(2);
    n = 3;
    expect(await changing()).toBe(2);
  });

  it('does not join an equal call that is under way', async () => {
    await Promise.all([double(1), double.with({ cache: 'refresh' })(1), double(1)]);
    expect(ran).toEqual(['double 1', 'double 1']);
  });
});

describe('cache: { ttlMs }', () => {
  it('computes again what is older, and replaces it', async () => {
    await shortLived(1);
    ahead = 900;
    await shortLived(1);
    expect(ran).toHaveLength(1);
    ahead = 1_100;
    await shortLived(1);
    expect(ran).toHaveLength(2);
    ahead = 2_000;
    await shortLived(1);
    expect(ran).toHaveLength(2);
  });

  it('may differ from call to call', async () => {
    await double(1);
    ahead = 5_000;
    await double.with({ cache: { ttlMs: 10_000 } })(1);
    expect(ran).toHaveLength(1);
    await double.with({ cache: { ttlMs: 4_000 } })(1);
    expect(ran).toHaveLength(2);
  });
});

describe('cache: { ignore }', () => {
  it('leaves parts of the arguments out of what counts', async () => {
    await find({ text: 'a', options: { verbose: true, limit: 1 } }, 'one');
    await find({ text: 'a', options: { verbose: false, limit: 1 } }, 'two');
    await find({ text: 'a', options: { limit: 1 } });
    expect(ran).toEqual(['find a one']);
    await find({ text: 'a', options: { limit: 2 } });
    await find({ text: 'b', options: { limit: 1 } });
    expect(ran).toHaveLength(3);
  });

  it('holds for calls with other options as well', async () => {
    await find({ text: 'c' }, 'one');
    await find.with({ cache: { ttlMs: 10_000 } })({ text: 'c' }, 'two');
    await find.with({ cache: true })({ text: 'c' }, 'three');
    expect(ran).toHaveLength(1);
  });
});

describe('cache: { key }', () => {
  it('looks results up by what it gives', async () => {
    expect(await keyed('http://one.test/path')).toBe('http://one.test/path');
    expect(await keyed('http://two.test/path')).toBe('http://one.test/path');
    expect(await keyed('http://two.test/other')).toBe('http://two.test/other');
  });

  it('rejects the call when it throws', async () => {
    await expect(keyed('no url')).rejects.toThrow('Invalid URL');
    expect(ran).toEqual([]);
  });
});

describe('cache: { verify }', () => {
  const impure = (): EngineEvent[] => events.filter(({ type }) => type === 'run.impure');
  const isOver = (): Promise<void> =>
    new Promise((resolve) => {
      const subscription = lifecycle.events$.subscribe(({ type }) => {
        if (type !== 'run.impure') return;
        subscription.unsubscribe();
        resolve();
      });
    });

  it('computes that share of hits again, and names where an impure task differs', async () => {
    const first = await counts('a');
    chance = 0.2;
    const told = isOver();
    expect(await counts('a')).toEqual(first);
    await told;
    expect(impure()).toMatchObject([{ routineId: 'tname:test:counts:1.0.0', paths: ['result.values[1]'] }]);
    chance = 0.25;
    await counts('a');
    expect(counted).toBe(2);
  });

  it('keeps still about a pure one', async () => {
    const checked = double.with({ cache: { verify: 1 } });
    await checked(4);
    const again = new Promise<void>((resolve) => {
      const runs = new Set<string>();
      lifecycle.events$.subscribe((event) => {
        if (event.type !== 'run.completed' && event.type !== 'run.cached') return;
        runs.add(event.runId);
        if (runs.size === 2) resolve();
      });
    });
    await checked(4);
    await again;
    expect(ran).toEqual(['double 4', 'double 4']);
    expect(impure()).toEqual([]);
  });
});

describe('cache options', () => {
  it.each<[string, unknown]>([
    ['cache', 'sometimes'],
    ['cache', 1],
    ['cache.ttlMs', { ttlMs: 0 }],
    ['cache.ttlMs', { ttlMs: '1 h' }],
    ['cache.verify', { verify: 2 }],
    ['cache.key', { key: 'id' }],
    ['cache.ignore', { ignore: 'args[0]' }],
    ['args', { ignore: ['logger'] }],
  ])('are refused when they make no sense: %s', (named, cache) => {
    const options = { name: 'refused', version: '1.0.0', cache: cache as boolean };
    expect(() => define.task(options, () => 1)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(named) }),
    );
  });
});

describe('explain', () => {
  const fit = define.task(
    { name: 'fit', version: '2.0.0' },
    (data: Float64Array, { rate, epochs }: { rate: number; epochs: number }) => data.length * rate * epochs,
  );
  const fitBefore = define.task(
    { name: 'fit', version: '1.0.0' },
    (data: Float64Array, { rate, epochs }: { rate: number; epochs: number }) => data.length + rate + epochs,
  );
  const data = Float64Array.of(1, 2, 3);

  it('says that there is no result of the routine', async () => {
    expect(await explain(fit, data, { rate: 1, epochs: 2 })).toMatchObject({
      status: 'miss',
      why: expect.stringContaining('no result'),
    });
  });

  it('tells a hit, and runs nothing', async () => {
    await fit(data, { rate: 1, epochs: 2 });
    events.length = 0;
    expect(await explain(fit, data, { rate: 1, epochs: 2 })).toMatchObject({
      status: 'hit',
      metadata: { routineId: 'tname:test:fit:2.0.0', worker: 'client' },
    });
    expect(events).toEqual([]);
  });

  it('names exactly what differs from the nearest result', async () => {
    await fit(data, { rate: 1, epochs: 2 });
    await fit(data, { rate: 5, epochs: 5 });
    const explained = await explain(fit, data, { rate: 1, epochs: 3 });
    expect(explained).toMatchObject({
      status: 'miss',
      nearest: { differences: [{ what: 'argument', path: 'args[1].epochs' }] },
    });
    expect(explained.status === 'miss' && explained.why).toContain('args[1].epochs');
  });

  it('names another version', async () => {
    await fitBefore(data, { rate: 1, epochs: 2 });
    expect(await explain(fit, data, { rate: 1, epochs: 2 })).toMatchObject({
      nearest: { differences: [{ what: 'version', stored: '1.0.0', called: '2.0.0' }] },
    });
  });

  it('names the age', async () => {
    await shortLived(7);
    ahead = 3_000;
    expect(await explain(shortLived, 7)).toMatchObject({
      nearest: { differences: [{ what: 'age', ttlMs: 1_000 }] },
    });
  });

  it('says when nothing is looked up at all', async () => {
    const never = define.task({ name: 'never', version: '1.0.0', cache: false }, () => 1);
    const workflow = define.workflow({ name: 'workflow' }, () => 1);
    for (const each of [explain(never), explain(workflow), explain(double.with({ cache: false }), 1)]) {
      const explained = await each;
      expect(explained.status).toBe('miss');
      expect(explained).not.toHaveProperty('key');
    }
  });

  it('refuses what is no routine', async () => {
    await expect(explain((() => 1) as unknown as typeof double, 1)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
  });
});

describe('provenance', () => {
  it('walks from a result to those that it was computed from', async () => {
    const list = define.task({ name: 'list', version: '1.0.0' }, (n: number) =>
      Array.from({ length: n }, () => n),
    );
    const join = define.task({ name: 'join', version: '1.0.0' }, (a: number[], more: { b: number[] }) => [
      ...a,
      ...more.b,
    ]);
    const parent = define.workflow({ name: 'parent' }, async () => {
      const [one, two] = [await list.ref(2), await list.ref(3)];
      return join.ref(await join.ref(one, { b: two }), { b: one });
    });
    const ref = await parent();
    const walked = await provenance(ref);
    expect(walked).toMatchObject({
      routineId: 'tname:test:join:1.0.0',
      metadata: { worker: 'client', parentRunId: expect.any(String), argumentsDigest: expect.any(String) },
      inputs: [
        {
          routineId: 'tname:test:join:1.0.0',
          inputs: [
            { routineId: 'tname:test:list:1.0.0', inputs: [] },
            { routineId: 'tname:test:list:1.0.0', inputs: [] },
          ],
        },
        { routineId: 'tname:test:list:1.0.0', inputs: [] },
      ],
    });
    expect(await ref.value()).toEqual([2, 2, 3, 3, 3, 2, 2]);
  });
});
