import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { Lifecycle, everythingRemote, executionPolicy } from '@routine-engine/core';
import { embeddedCluster } from '@routine-engine/transport-inproc';
import { measure } from '../measure.js';
import { speedRatio, speeds, type Question } from '../question.js';
import { arrayOf, checkArray } from './pattern.js';
import { heldArray } from './routines.js';

const MEBIBYTES = 256;
const BYTES = MEBIBYTES * 1024 * 1024;
const modules = [new URL('./routines.js', import.meta.url)];

export const largeThread: Question = {
  name: 'large-thread',
  title: `A result of ${MEBIBYTES} MiB from a background thread`,
  async ask() {
    await using _ = await Lifecycle.init({
      project: 'bench',
      plugins: [embeddedCluster({ workers: 1, modules }), executionPolicy(everythingRemote)],
    });
    const raw = new Worker(new URL('../raw/array-thread.js', import.meta.url), { workerData: BYTES });
    const source = arrayOf(BYTES, 0);
    let seed = 0;
    const times = await measure(
      [
        {
          name: 'routine engine',
          async run() {
            seed += 1;
            checkArray(await heldArray(BYTES, seed), BYTES, seed);
          },
        },
        {
          name: 'memcpy to fresh pages',
          async run() {
            checkArray(new Float32Array(source), BYTES, 0);
          },
        },
        {
          name: 'raw MessagePort: copied there, then transferred',
          async run() {
            raw.postMessage('copied');
            checkArray(((await once(raw, 'message')) as [Float32Array])[0], BYTES, 0);
          },
        },
      ],
      1,
    );
    await raw.terminate();
    const measured = speeds(times, MEBIBYTES);
    return {
      measured,
      unit: 'MiB/s',
      verdicts: [
        speedRatio(measured, 'memcpy to fresh pages', '>= 0.8'),
        speedRatio(measured, 'raw MessagePort: copied there, then transferred', 'none'),
      ],
    };
  },
};
