import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from '@routine-engine/core/adapter';
import { measure, type Contender } from '../measure.js';
import { ProcessCluster } from '../processes/cluster.js';
import { speedRatio, speeds, type Question } from '../question.js';
import { arrayOf, checkArray } from './pattern.js';
import { RawLink } from './raw-link.js';
import { heldArray, rememberedArray } from './routines.js';

const MEBIBYTES = 256;
const BYTES = MEBIBYTES * 1024 * 1024;

/** Asks for an array with a seed of its own each time, and checks it. */
function contender(
  name: string,
  ask: (seed: number) => Promise<Float32Array>,
  fixedSeed?: number,
): Contender {
  let seed = 0;
  return {
    name,
    async run() {
      seed += 1;
      checkArray(await ask(seed), BYTES, fixedSeed ?? seed);
    },
  };
}

export const largeRelayed: Question = {
  name: 'large-process',
  title: `A result of ${MEBIBYTES} MiB from another process, through the service`,
  async ask() {
    await using _ = await ProcessCluster.start();
    await using raw = await RawLink.start(BYTES);
    const times = await measure(
      [
        contender('routine engine', (seed) => heldArray(BYTES, seed)),
        contender('raw pipes with a relay', () => raw.relayed(), 0),
        contender('raw socket from process to process', () => raw.direct(), 0),
      ],
      1,
    );
    const measured = speeds(times, MEBIBYTES);
    return {
      measured,
      unit: 'MiB/s',
      verdicts: [
        speedRatio(measured, 'raw pipes with a relay', '>= 0.7'),
        speedRatio(measured, 'raw socket from process to process', 'none'),
      ],
    };
  },
};

export const largeStored: Question = {
  name: 'large-stored',
  title: `A remembered result of ${MEBIBYTES} MiB from another process with the same store`,
  async ask() {
    await using _ = await ProcessCluster.start({ sharesStore: true });
    const array = arrayOf(BYTES, 0);
    const dir = await mkdtemp(join(tmpdir(), 'routine-bench-files-'));
    const times = await measure(
      [
        contender('routine engine', (seed) => rememberedArray(BYTES, seed)),
        contender(
          'a file, written, synced and read',
          // A new one each time, as the store keeps them.
          (seed) => throughFile(join(dir, String(seed)), array),
          0,
        ),
      ],
      1,
    );
    await rm(dir, { recursive: true });
    const measured = speeds(times, MEBIBYTES);
    return {
      measured,
      unit: 'MiB/s',
      verdicts: [speedRatio(measured, 'a file, written, synced and read', '>= 0.8')],
    };
  },
};

/** What any store of files has to do at least. */
async function throughFile(path: string, array: Float32Array): Promise<Float32Array> {
  const bytes = new Uint8Array(array.buffer);
  const file = await open(path, 'w');
  for (let at = 0; at < bytes.byteLength; at += LIMITS.chunkBytes) {
    await file.write(bytes, at, Math.min(LIMITS.chunkBytes, bytes.byteLength - at));
  }
  await file.sync();
  await file.close();
  return new Float32Array((await readFile(path)).buffer);
}
