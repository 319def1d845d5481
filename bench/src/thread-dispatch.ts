import { Lifecycle, everythingRemote, executionPolicy } from '@routine-engine/core';
import { embeddedCluster } from '@routine-engine/transport-inproc';
import { Piscina } from 'piscina';
import { expectEqual, inFlight, measure, type Contender } from './measure.js';
import { ratio, type Question } from './question.js';
import { RawThread } from './raw/raw-thread.js';
import { noop } from './routines.js';

const modules = [new URL('./routines.js', import.meta.url)];

function question(width: number, times: number, verdicts: Verdicts): Question {
  return {
    name: `thread-${width}`,
    title: `No-op to a background thread, ${width} in flight`,
    async ask() {
      await using _ = await Lifecycle.init({
        project: 'bench',
        plugins: [embeddedCluster({ workers: 1, modules }), executionPolicy(everythingRemote)],
      });
      const raw = new RawThread();
      const pool = new Piscina<number, number>({
        filename: new URL('./raw/piscina-task.js', import.meta.url).href,
        ...{ minThreads: 1, maxThreads: 1, concurrentTasksPerWorker: 256 },
      });
      const contender = (name: string, call: (n: number) => Promise<number>): Contender => ({
        name,
        run: (count) => inFlight(count, width, async (n) => expectEqual(await call(n), n)),
      });
      const measured = await measure(
        [
          contender('routine engine', noop),
          contender('raw MessagePort, msgpackr, one post a turn', (n) => raw.call(n)),
          contender('piscina', (n) => pool.run(n)),
        ],
        times,
      );
      await raw.close();
      await pool.destroy();
      return { measured, verdicts: verdicts(measured) };
    },
  };
}

type Verdicts = (measured: Parameters<typeof ratio>[0]) => string[];

export const threadAlone: Question = question(1, 3_000, (measured) => [
  ratio(measured, 'raw MessagePort, msgpackr, one post a turn', '<= 1.5'),
  ratio(measured, 'piscina', '< 1'),
]);

export const threadBusy: Question = question(256, 20_000, (measured) => [
  `routine engine runs ${Math.round(1_000_000 / (measured[0]?.median ?? Number.NaN))} a second (to reach: >= 100000)`,
  ratio(measured, 'raw MessagePort, msgpackr, one post a turn', 'none'),
  ratio(measured, 'piscina', '<= 0.67'),
]);
