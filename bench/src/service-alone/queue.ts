import { ChildNode } from '../processes/child-node.js';
import { summarise, type Measured } from '../measure.js';
import type { Question } from '../question.js';
import type { WaitingCosts, WaitingOptions } from './waiting-runs.js';

const ROUNDS = 5;
/** How many runs wait, and in how many rounds that is timed in one process. */
const SIZES: readonly WaitingOptions[] = [
  { runs: 1_000, rounds: 100 },
  { runs: 10_000, rounds: 10 },
  { runs: 100_000, rounds: 3 },
  { runs: 1_000_000, rounds: 1 },
];
const FIGURE_BYTES = 1_024;
const FIGURE_GROWTH = 1.15;

async function costsOf(options: WaitingOptions): Promise<WaitingCosts> {
  // Each time in a new process: it has no memory to use again.
  await using child = await ChildNode.start('../service-alone/waiting-runs.js', options, ['--expose-gc']);
  return (await child.ask({})) as WaitingCosts;
}

export const waitingRuns: Question = {
  name: 'queue',
  title: 'A run that waits at the service, by how many wait; the service alone, without a transport',
  isLong: true,
  async ask() {
    const samples = SIZES.map((): WaitingCosts[] => []);
    for (let round = 0; round < ROUNDS; round += 1)
      for (const [index, options] of SIZES.entries()) samples[index]?.push(await costsOf(options));
    const rows = (what: string, of: (costs: WaitingCosts) => number): Measured[] =>
      SIZES.map(({ runs }, index) =>
        summarise(`${what}, ${runs.toLocaleString('en')} wait`, (samples[index] ?? []).map(of)),
      );
    const [all, bytes] = [
      rows('us in all', (costs) => costs.request + costs.rest),
      rows('bytes', (costs) => costs.bytes),
    ];
    const growth = (measured: readonly Measured[]): string => {
      const medians = measured.map(({ median }) => median);
      return (Math.max(...medians) / Math.min(...medians)).toFixed(2);
    };
    const most = Math.max(...bytes.map(({ median }) => median));
    return {
      measured: [...rows('us to be requested', (costs) => costs.request), ...all, ...bytes],
      unit: 'us or bytes a run',
      verdicts: [
        `the dearest size takes ${growth(all)} x the time of the cheapest (to reach: <= ${FIGURE_GROWTH})`,
        `the largest takes ${growth(bytes)} x the memory a run of the smallest (to reach: <= ${FIGURE_GROWTH})`,
        `a run takes up to ${most.toFixed(0)} bytes beside its body while it waits (to reach: <= ${FIGURE_BYTES})`,
      ],
    };
  },
};
