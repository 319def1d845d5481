import { LIMITS } from '@routine-engine/core/adapter';
import { Packr } from 'msgpackr';
import { arrayOf } from '../large/pattern.js';
import { usageOfProcess } from '../ws/duties.js';
import { RawSocket, type RawOptions } from '../ws/raw-socket.js';
import { optionsOfParent, serveParent } from './parent.js';

/** A process that answers at once, in its one thread: what it is told. */
export interface RawWsWorkerOptions extends RawOptions {
  readonly address: string;
}

const options = optionsOfParent<RawWsWorkerOptions>();
const packr = new Packr({ useRecords: false });
const noop = (n: number): number => n;
let held: Float32Array = new Float32Array(0);

function* chunksOf(byteLength: number, seed: number): Generator<Uint8Array> {
  if (held.byteLength !== byteLength) held = arrayOf(byteLength, seed);
  held[0] = seed;
  const bytes = new Uint8Array(held.buffer);
  for (let at = 0; at < byteLength; at += LIMITS.chunkBytes) yield bytes.subarray(at, at + LIMITS.chunkBytes);
}

const raw = await RawSocket.dial(`${options.address}/worker`, options);
raw.socket.on('message', (message: Buffer) => {
  const [id, args] = packr.unpack(message) as [number, [number] | [number, number]];
  if (args.length === 1) raw.send(packr.pack([id, noop(...args)]));
  else void raw.sendChunks(chunksOf(...args));
});
serveParent(async () => raw.socket.close(), usageOfProcess);
