import { parentPort, workerData } from 'node:worker_threads';
import { arrayOf } from '../large/pattern.js';

/** Gives a copy of an array away, whenever somebody asks. */
const held = arrayOf(workerData as number, 0);

parentPort?.on('message', () => {
  const copy = new Float32Array(held);
  parentPort?.postMessage(copy, [copy.buffer]);
});
