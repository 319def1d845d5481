import { AsyncLocalStorage } from 'node:async_hooks';
import { Lifecycle } from '@routine-engine/core';
import { Subject } from 'rxjs';
import { expectEqual, measure } from './measure.js';
import { ratio, type Question } from './question.js';
import { noop } from './routines.js';

const TIMES = 50_000;

/** The bare parts of a local call: a registry look-up, an async context, two events that nobody observes. */
function bareLoop(): (n: number) => Promise<number> {
  const registry = new Map([['noop', async (n: number): Promise<number> => n]]);
  const storage = new AsyncLocalStorage<object>();
  const events = new Subject<object>();
  return async (n) => {
    const body = registry.get('noop') ?? plain;
    events.next({ type: 'starting', n });
    const result = await storage.run({ n }, body, n);
    events.next({ type: 'completed', n });
    return result;
  };
}

const plain = async (n: number): Promise<number> => n;

const repeat = (call: (n: number) => Promise<number>) => async (times: number) => {
  for (let n = 0; n < times; n += 1) expectEqual(await call(n), n);
};

export const localCall: Question = {
  name: 'local',
  title: 'Local no-op call, cache off, events unobserved',
  async ask() {
    await using _ = await Lifecycle.init({ project: 'bench' });
    const measured = await measure(
      [
        { name: 'routine engine', run: repeat(noop) },
        { name: 'registry + async context + 2 events', run: repeat(bareLoop()) },
        { name: 'plain async call', run: repeat(plain) },
      ],
      TIMES,
    );
    return {
      measured,
      verdicts: [
        `routine engine takes ${measured[0]?.median.toFixed(2)} us (to reach: <= 1.0 us)`,
        ratio(measured, 'registry + async context + 2 events', '<= 3'),
      ],
    };
  },
};
