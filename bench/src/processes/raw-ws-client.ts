import { Packr } from 'msgpackr';
import { perform, type ClientQuestion, type Duties } from '../ws/duties.js';
import { CHUNK_LEAST_BYTES, RawSocket } from '../ws/raw-socket.js';
import { optionsOfParent, serveParent } from './parent.js';
import type { RawWsWorkerOptions } from './raw-ws-worker.js';

const options = optionsOfParent<RawWsWorkerOptions>();
const packr = new Packr({ useRecords: false });
const waiting = new Map<number, (result: number) => void>();
let lastId = 0;
let onChunk: (bytes: Uint8Array) => void = () => undefined;

const raw = await RawSocket.dial(`${options.address}/client`, options);
raw.socket.on('message', (message: Buffer) => {
  if (message.byteLength >= CHUNK_LEAST_BYTES) return onChunk(message);
  const [id, result] = packr.unpack(message) as [number, number];
  waiting.get(id)?.(result);
  waiting.delete(id);
});

const duties: Duties = {
  call: (n) =>
    new Promise((resolve) => {
      lastId += 1;
      waiting.set(lastId, resolve);
      raw.send(packr.pack([lastId, [n]]));
    }),
  async fanOut(times) {
    const answers = await Promise.all(Array.from({ length: times }, (_, index) => duties.call(index)));
    return answers.reduce((sum, answer) => sum + answer, 0);
  },
  large: (byteLength, seed) =>
    new Promise((resolve) => {
      const whole = new Uint8Array(byteLength);
      let filled = 0;
      onChunk = (bytes) => {
        whole.set(bytes, filled);
        filled += bytes.byteLength;
        if (filled === byteLength) resolve(new Float32Array(whole.buffer));
      };
      lastId += 1;
      raw.send(packr.pack([lastId, [byteLength, seed]]));
    }),
};
serveParent(
  async () => raw.socket.close(),
  (question: ClientQuestion) => perform(question, duties),
);
