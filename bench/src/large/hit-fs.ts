import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lifecycle } from '@routine-engine/core';
import { fsStore } from '@routine-engine/store-fs';
import { expectEqual, measure } from '../measure.js';
import { speedRatio, speeds, type Question } from '../question.js';
import { arrayOf, checkArray } from './pattern.js';
import { rememberedArray } from './routines.js';

const MEBIBYTES = 256;
const BYTES = MEBIBYTES * 1024 * 1024;

export const largeHitFs: Question = {
  name: 'large-hit-fs',
  title: `A remembered result of ${MEBIBYTES} MiB from a directory`,
  isLong: true,
  async ask() {
    const dir = await mkdtemp(join(tmpdir(), 'routine-bench-'));
    const raw = join(dir, 'raw');
    const { buffer } = arrayOf(BYTES, 0);
    await writeFile(raw, new Uint8Array(buffer));
    const digest = createHash('sha256').update(new Uint8Array(buffer)).digest('hex');
    const lifecycle = await Lifecycle.init({
      project: 'bench',
      plugins: [fsStore({ dir: join(dir, 'store'), fsync: false })],
    });
    await rememberedArray(BYTES, 0);
    const read = async (): Promise<Buffer> => {
      const bytes = await readFile(raw);
      checkArray(new Float32Array(bytes.buffer, bytes.byteOffset, BYTES / 4), BYTES, 0);
      return bytes;
    };
    const times = await measure(
      [
        {
          name: 'routine engine',
          run: async () => checkArray(await rememberedArray(BYTES, 0), BYTES, 0),
        },
        { name: 'readFile', run: async () => void (await read()) },
        {
          name: 'readFile, then SHA-256',
          run: async () => {
            expectEqual(
              createHash('sha256')
                .update(await read())
                .digest('hex'),
              digest,
            );
          },
        },
      ],
      1,
    );
    await lifecycle.shutdown();
    await rm(dir, { recursive: true });
    const measured = speeds(times, MEBIBYTES);
    return {
      measured,
      unit: 'MiB/s',
      verdicts: [
        speedRatio(measured, 'readFile', 'none: it checks nothing'),
        speedRatio(measured, 'readFile, then SHA-256', '>= 1.0'),
      ],
    };
  },
};
