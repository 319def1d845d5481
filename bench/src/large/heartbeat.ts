import { expectEqual, summarise } from '../measure.js';
import { ProcessCluster } from '../processes/cluster.js';
import type { Pulses } from '../processes/pulse-meter.js';
import type { Question } from '../question.js';
import { arrayOf, checkArray } from './pattern.js';
import { heldArray, smallCall, takenArray } from './routines.js';

const ROUNDS = 5;
const MEBIBYTES = 1_024;
const BYTES = MEBIBYTES * 1024 * 1024;
const HEARTBEAT_MS = 20;
const FIGURE_MS = 100;
/** Small calls, one after the other, while nothing large passes. */
const IDLE_CALLS = 500;

/** The latest of each, in milliseconds. */
interface Latest {
  readonly worker: number;
  /** A client gives no pulse while it copies an argument, which it has to before the call returns. */
  readonly client: number;
  readonly call: number;
}

/** What is timed, and its name. */
const TIMED = [
  ['worker', "a worker's pulse"],
  ['client', "the client's pulse"],
  ['call', 'small call'],
] as const;

/** Makes small calls, one after the other, for as long as something goes on, and tells of the latest of them. */
async function latestWhile(cluster: ProcessCluster, work: Promise<void>): Promise<Latest> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  let call = 0;
  while (!isOver) {
    const startedAt = performance.now();
    expectEqual(await smallCall(startedAt), startedAt);
    call = Math.max(call, performance.now() - startedAt);
  }
  await over;
  // Its answer comes behind those to all pulses that were asked for before.
  expectEqual(await smallCall(1), 1);
  const { worker, client } = (await cluster.service.ask({})) as Pulses;
  return { worker: Math.max(...worker), client: Math.max(...client), call };
}

async function idle(): Promise<void> {
  for (let n = 0; n < IDLE_CALLS; n += 1) expectEqual(await smallCall(n), n);
}

export const heartbeat: Question = {
  name: 'heartbeat',
  title: `The latest pulse and the latest small call while ${MEBIBYTES} MiB pass the same connections`,
  isLong: true,
  async ask() {
    await using cluster = await ProcessCluster.start({ heartbeatMs: HEARTBEAT_MS });
    const array = arrayOf(BYTES, 1);
    const cases = [
      { name: 'a result', act: async () => checkArray(await heldArray(BYTES, 1), BYTES, 1) },
      { name: 'an argument', act: async () => expectEqual(await takenArray(array, 1), BYTES) },
      { name: 'nothing large', act: idle },
    ].map((each) => ({ ...each, latest: [] as Latest[] }));
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const { act, latest } of cases) {
        const one = await latestWhile(cluster, act());
        if (round > 0) latest.push(one);
      }
    }
    const measured = cases.flatMap(({ name, latest }) =>
      TIMED.map(([timed, what]) =>
        summarise(
          `${what}, ${name}`,
          latest.map((each) => each[timed]),
        ),
      ),
    );
    const verdicts = measured
      .filter(({ name }) => !name.startsWith('small call'))
      .map(({ name, median }) => `${name}: ${median.toFixed(0)} ms late (to reach: < ${FIGURE_MS} ms)`);
    return { measured, unit: 'ms, the latest of a round', verdicts };
  },
};
