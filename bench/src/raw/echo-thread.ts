import { parentPort } from 'node:worker_threads';
import { Packr } from 'msgpackr';

/** The least a background thread can do: unpack a batch of calls, call, pack the answers, once a turn. */
const packr = new Packr({ useRecords: false });
const noop = (n: number): number => n;
let answers: [id: number, result: number][] = [];

parentPort?.on('message', (packed: Uint8Array) => {
  for (const [id, args] of packr.unpack(packed) as [number, [number]][]) {
    answers.push([id, noop(...args)]);
    if (answers.length === 1) setImmediate(flush);
  }
});

function flush(): void {
  parentPort?.postMessage(Uint8Array.prototype.slice.call(packr.pack(answers)));
  answers = [];
}
