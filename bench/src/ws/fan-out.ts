import type { Measured } from '../measure.js';
import { ratio, type Question } from '../question.js';
import { processorRows, rounds, rows } from './rounds.js';
import { RAW_CORKED, Way } from './way.js';

const SIZES = [10_000, 100_000];

export const wsFanOut: Question = {
  name: 'ws-fan-out',
  title: 'No-ops by Promise.all in one workflow of a client, over two workers, by WebSocket',
  async ask() {
    const measured: Measured[] = [];
    const verdicts: string[] = [];
    const ours: number[] = [];
    for (const times of SIZES) {
      const all = await rounds(
        [
          () => Way.engine(2, false),
          () => Way.raw(2, { isCorked: false }),
          () => Way.raw(2, { isCorked: true }),
        ],
        () => ({ kind: 'fan-out', times }),
      );
      const tasks = rows(all, `${times} tasks`, ({ microseconds }) => microseconds / times);
      measured.push(...tasks, ...processorRows(all, times, `${times} tasks, `));
      const median = tasks[0]?.median ?? Number.NaN;
      ours.push(median);
      verdicts.push(`${times} tasks: ${median.toFixed(1)} us a task (to reach: <= 25 us)`);
      verdicts.push(ratio(tasks, `${RAW_CORKED}, ${times} tasks`, 'none'));
    }
    const [small = Number.NaN, large = Number.NaN] = ours;
    verdicts.push(
      `a task of ${SIZES.at(-1)} costs ${(large / small).toFixed(2)} x one of ${SIZES[0]} (to reach: <= 1.15)`,
    );
    return { measured, unit: 'us a task', verdicts };
  },
};
