import type { Measured } from '../measure.js';
import { ratio, type Question } from '../question.js';
import { processorRows, rounds, rows } from './rounds.js';
import { RAW, RAW_CORKED, Way } from './way.js';

const ways = (workers: number) => [
  () => Way.engine(workers, true),
  () => Way.raw(workers, { isCorked: false }),
  () => Way.raw(workers, { isCorked: true }),
];

/** `routine engine: 1,000 runs a second, 0.5 x the raw relay`. */
function throughputs(measured: readonly Measured[], figure: string): string {
  const [ours, ...others] = measured.map(({ name, median }) => ({ name, rate: 1_000_000 / median }));
  if (!ours) throw new Error('No figures');
  const beside = others.map(({ name, rate }) => `${(ours.rate / rate).toFixed(2)} x ${name}`);
  return `${ours.name} runs ${Math.round(ours.rate)} a second, ${beside.join(', ')} (to reach: ${figure})`;
}

export const wsAlone: Question = {
  name: 'ws-1',
  title: 'No-op from a client over a service to a thread of a worker and back, by WebSocket, 1 in flight',
  async ask() {
    const times = 3_000;
    const all = await rounds(ways(1), () => ({ kind: 'calls', times, width: 1 }));
    const [p50, p99] = [rows(all, '', ({ p50 }) => p50), rows(all, 'p99', ({ p99 }) => p99)];
    return {
      measured: [...p50, ...p99, ...processorRows(all, times)],
      unit: 'us a call, p50 unless said otherwise',
      verdicts: [ratio(p50, RAW, '<= 2.0'), ratio(p50, RAW_CORKED, 'none')],
    };
  },
};

export const wsBusy: Question = {
  name: 'ws-256',
  title: 'No-ops from a client over a service to a thread of a worker and back, by WebSocket',
  async ask() {
    const times = 20_000;
    const measured: Measured[] = [];
    const verdicts: string[] = [];
    for (const [width, figure] of [
      [16, 'none'],
      [256, `>= 60000, or >= 0.5 x ${RAW_CORKED}`],
    ] as const) {
      const all = await rounds(ways(1), () => ({ kind: 'calls', times, width }));
      const what = `${width} in flight`;
      const throughput = rows(all, what, ({ microseconds }) => microseconds / times);
      const p99 = rows(all, `${what}, latency p99`, (report) => report.p99);
      measured.push(...throughput, ...p99, ...processorRows(all, times, `${what}, `));
      verdicts.push(throughputs(throughput, figure));
    }
    return { measured, verdicts };
  },
};
