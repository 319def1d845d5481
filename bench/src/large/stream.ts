import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import process from 'node:process';
import { expectEqual, summarise, type Measured } from '../measure.js';
import { ProcessCluster } from '../processes/cluster.js';
import type { Question } from '../question.js';
import { checkChunks } from './chunks.js';
import { peaksOf, type Peaks } from './peaks.js';
import { rememberedStream, smallCall, stream } from './routines.js';

const ROUNDS = 5;
const DEFAULT_MIB = 4_096;
/** A stream may lie on the disk several times at once: of the worker, of the store, and while it is replaced. */
const COPIES = 4;
const FIGURE_MIB = 64;
const MEBIBYTE = 1024 * 1024;

/** Length of the stream in MiB: `BENCH_STREAM_MIB` when it is set, else less than usual where the disk lacks room. */
async function streamMebibytes(): Promise<number> {
  const asked = process.env['BENCH_STREAM_MIB'];
  if (asked !== undefined) return Number(asked);
  const { bavail, bsize } = await statfs(tmpdir());
  return Math.min(DEFAULT_MIB, Math.floor((bavail * bsize) / MEBIBYTE / COPIES));
}

interface Streamed {
  readonly peaks: Peaks;
  readonly mebibytesPerSecond: number;
}

async function readOne(sharesStore: boolean, mebibytes: number): Promise<Streamed> {
  const bytes = mebibytes * MEBIBYTE;
  await using cluster = await ProcessCluster.start({ sharesStore });
  expectEqual(await smallCall(1), 1);
  const ask = sharesStore ? rememberedStream : stream;
  const startedAt = performance.now();
  const peaks = await peaksOf(cluster, async () => checkChunks(await ask(bytes, 1), bytes, 1));
  return { peaks, mebibytesPerSecond: (mebibytes * 1_000) / (performance.now() - startedAt) };
}

export const largeStream: Question = {
  name: 'large-stream',
  title: 'Memory while a long stream in a result is made and read chunk by chunk',
  isLong: true,
  async ask() {
    const mebibytes = await streamMebibytes();
    const cases = [
      { name: 'a shared store', sharesStore: true, streamed: [] as Streamed[] },
      { name: 'no store', sharesStore: false, streamed: [] as Streamed[] },
    ];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const { sharesStore, streamed } of cases) streamed.push(await readOne(sharesStore, mebibytes));
    }
    const measured: Measured[] = [];
    const verdicts: string[] = [];
    for (const { name, streamed } of cases) {
      for (const node of ['client', 'worker', 'service'] as const) {
        measured.push(
          summarise(
            `${node}, ${name}`,
            streamed.map(({ peaks }) => peaks[node]),
          ),
        );
      }
      const speed = summarise(
        name,
        streamed.map((each) => each.mebibytesPerSecond),
      ).median;
      const most = Math.max(...streamed.flatMap(({ peaks }) => Object.values(peaks) as number[]));
      verdicts.push(
        `with ${name}, ${mebibytes} MiB take at most ${most.toFixed(0)} MiB of any process (to reach: < ${FIGURE_MIB}), at ${speed.toFixed(0)} MiB/s`,
      );
    }
    return { measured, unit: 'MiB', verdicts };
  },
};
