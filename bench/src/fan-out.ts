import { Lifecycle } from '@routine-engine/core';
import { embeddedCluster } from '@routine-engine/transport-inproc';
import { Piscina } from 'piscina';
import { expectEqual, measure } from './measure.js';
import { ratio, type Question } from './question.js';
import { RawThread } from './raw/raw-thread.js';
import { fanOut } from './routines.js';

const TIMES = 10_000;
const modules = [new URL('./routines.js', import.meta.url)];

const sumOf = async (times: number, call: (n: number) => Promise<number>): Promise<number> => {
  const answers = await Promise.all(Array.from({ length: times }, (_, index) => call(index)));
  return answers.reduce((sum, answer) => sum + answer, 0);
};

export const fanOutOfTenThousand: Question = {
  name: 'fan-out',
  title: '10,000 no-ops by Promise.all, over two background threads',
  async ask() {
    await using _ = await Lifecycle.init({
      project: 'bench',
      plugins: [embeddedCluster({ workers: 2, modules })],
    });
    const raw = [new RawThread(), new RawThread()] as const;
    const pool = new Piscina<number, number>({
      filename: new URL('./raw/piscina-task.js', import.meta.url).href,
      ...{ minThreads: 2, maxThreads: 2, concurrentTasksPerWorker: 256, maxQueue: TIMES },
    });
    const expected = (TIMES * (TIMES - 1)) / 2;
    const measured = await measure(
      [
        { name: 'routine engine', run: async (times) => expectEqual(await fanOut(times), expected) },
        {
          name: 'raw MessagePorts, msgpackr, one post a turn',
          run: async (times) =>
            expectEqual(await sumOf(times, (n) => raw[n % 2 === 0 ? 0 : 1].call(n)), expected),
        },
        {
          name: 'piscina',
          run: async (times) => expectEqual(await sumOf(times, (n) => pool.run(n)), expected),
        },
      ],
      TIMES,
    );
    await Promise.all([...raw.map((thread) => thread.close()), pool.destroy()]);
    return {
      measured,
      verdicts: [
        `routine engine takes ${measured[0]?.median.toFixed(1)} us a task (to reach over two processes: <= 25 us)`,
        ratio(measured, 'raw MessagePorts, msgpackr, one post a turn', 'none'),
        ratio(measured, 'piscina', '< 1'),
      ],
    };
  },
};
