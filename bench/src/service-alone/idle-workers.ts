import { ChildNode } from '../processes/child-node.js';
import { summarise } from '../measure.js';
import type { Question } from '../question.js';
import type { IdleCosts, IdleOptions } from './idle-nodes.js';

const ROUNDS = 5;
const IDLE: IdleOptions = { workers: 10_000, routines: 50, minutes: 2 };

async function costs(): Promise<IdleCosts> {
  await using child = await ChildNode.start('../service-alone/idle-nodes.js', IDLE, ['--expose-gc']);
  return (await child.ask({})) as IdleCosts;
}

export const idleWorkers: Question = {
  name: 'idle-workers',
  title: '10,000 idle workers at a service in virtual time: the service alone, without a transport',
  isLong: true,
  async ask() {
    const samples: IdleCosts[] = [];
    for (let round = 0; round < ROUNDS; round += 1) samples.push(await costs());
    const share = summarise(
      '% of one core',
      samples.map((each) => each.share * 100),
    );
    const memory = summarise(
      'KiB a worker, what plays it included',
      samples.map((each) => each.kibibytes),
    );
    const pulse = summarise(
      'us a pulse, question and answer',
      samples.map((each) => each.pulse),
    );
    return {
      measured: [share, memory, pulse],
      unit: 'as it says',
      verdicts: [
        `heartbeats take ${share.median.toFixed(1)} % of one core (to reach: <= 5 %)`,
        `a worker takes ${memory.median.toFixed(1)} KiB (to reach: <= 10 KiB)`,
        'beside that, each worker costs what its connection does: sockets, buffers and encryption are not in this',
      ],
    };
  },
};
