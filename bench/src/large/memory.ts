import { move } from '@routine-engine/core';
import { expectEqual, summarise, type Measured } from '../measure.js';
import { ProcessCluster } from '../processes/cluster.js';
import type { Question } from '../question.js';
import { arrayOf, checkArray } from './pattern.js';
import { peaksOf, type Peaks } from './peaks.js';
import { freshArray, smallCall, takenArray } from './routines.js';

const ROUNDS = 5;
const SIZES_MIB = [16, 256, 1_024];
const WAYS = ['result', 'argument'] as const;
type Way = (typeof WAYS)[number];
/** What each process may need beside the value itself, in MiB. */
const FIGURES: Peaks = { client: 32, worker: 32, service: 16 };
const PROCESSES = ['client', 'worker', 'service'] as const;

/** By how much each process grew beside the value, which is there once in the worker, and of a result in the client. */
async function extraOf(way: Way, mebibytes: number): Promise<Peaks> {
  const bytes = mebibytes * 1024 * 1024;
  // Each time in new processes: they have no memory to use again.
  await using cluster = await ProcessCluster.start();
  expectEqual(await smallCall(1), 1);
  if (way === 'argument') {
    const array = arrayOf(bytes, 1);
    const taken = await peaksOf(cluster, async () => expectEqual(await takenArray(move(array), 1), bytes));
    return { ...taken, worker: taken.worker - mebibytes };
  }
  const made = await peaksOf(cluster, async () => checkArray(await freshArray(bytes, 1), bytes, 1));
  return { ...made, client: made.client - mebibytes, worker: made.worker - mebibytes };
}

export const largeMemory: Question = {
  name: 'large-memory',
  title: 'Memory beside the value while it goes from process to process, through the service',
  isLong: true,
  async ask() {
    const cases = WAYS.flatMap((way) =>
      SIZES_MIB.map((mebibytes) => ({ way, mebibytes, peaks: [] as Peaks[] })),
    );
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { way, mebibytes, peaks } of cases) peaks.push(await extraOf(way, mebibytes));
    }
    const measured: Measured[] = [];
    const verdicts: string[] = [];
    for (const name of PROCESSES) {
      const rows = cases.map(({ way, mebibytes, peaks }) =>
        summarise(
          `${name}, ${way} of ${mebibytes} MiB`,
          peaks.map((each) => each[name]),
        ),
      );
      measured.push(...rows);
      const figures = rows.map(({ median }) => median.toFixed(0)).join(', ');
      verdicts.push(`${name}: ${figures} MiB (to reach: <= ${FIGURES[name]} MiB, the same for any size)`);
    }
    return { measured, unit: 'MiB', verdicts };
  },
};
