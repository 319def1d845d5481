import { createHash } from 'node:crypto';
import { Lifecycle } from '@routine-engine/core';
import {
  ADAPTER_API_VERSION,
  CODEC,
  provide,
  type Codec,
  type EnginePlugin,
  type Token,
} from '@routine-engine/core/adapter';
import { Packr } from 'msgpackr';
import { expectEqual, measure } from './measure.js';
import { ratio, type Question } from './question.js';

const TIMES = 100_000;
const LARGE_TIMES = 4;
const LARGE_BYTES = 64 * 1024 * 1024;

type Arguments = readonly [{ epochs: number; rate: number; name: string }, number[]];
const SMALL: Arguments = [{ epochs: 3, rate: 0.5, name: 'spam' }, [1, 2, 3]];

/** The codec that a lifecycle uses when no plugin provides one: a plugin sees every part. */
async function defaultCodec(): Promise<Codec> {
  const token = Symbol('codec probe') as Token<Codec>;
  let found: Codec | undefined;
  const probe: EnginePlugin = {
    name: 'codec-probe',
    api: ADAPTER_API_VERSION,
    parts: [
      provide(token, (parts) => parts.get(CODEC), {
        start: (codec) => {
          found = codec;
        },
      }),
    ],
  };
  await using _ = await Lifecycle.init({ project: 'bench', plugins: [probe] });
  if (!found) throw new Error('The lifecycle has no codec');
  return found;
}

/** Does something with the small arguments and checks a number that it gives. */
const repeat = (once: () => number) => async (times: number) => {
  for (let n = 0; n < times; n += 1) expectEqual(once(), 3);
};

export const codecOfSmall: Question = {
  name: 'codec',
  title: 'Encode and decode small arguments',
  async ask() {
    const codec = await defaultCodec();
    const packr = new Packr({ useRecords: false });
    const measured = await measure(
      [
        {
          name: 'routine engine',
          run: repeat(() => (codec.decode(codec.encode(SMALL)) as Arguments)[0].epochs),
        },
        {
          name: 'msgpackr, no records',
          run: repeat(() => (packr.unpack(packr.pack(SMALL)) as Arguments)[0].epochs),
        },
      ],
      TIMES,
    );
    return { measured, verdicts: [ratio(measured, 'msgpackr, no records', '<= 1.6')] };
  },
};

export const digestOfSmall: Question = {
  name: 'digest',
  title: 'Digest of small arguments',
  async ask() {
    const codec = await defaultCodec();
    const json = (): string => createHash('sha256').update(JSON.stringify(SMALL)).digest('hex');
    const measured = await measure(
      [
        { name: 'routine engine', run: repeat(() => codec.digest(SMALL).length / 64 + 2) },
        { name: 'sha256 of the JSON, which tells less', run: repeat(() => json().length / 64 + 2) },
      ],
      TIMES,
    );
    return {
      measured,
      verdicts: [`routine engine takes ${measured[0]?.median.toFixed(2)} us (to reach: <= 5 us)`],
    };
  },
};

export const digestOfLarge: Question = {
  name: 'digest-large',
  title: 'Digest of a Float64Array of 64 MiB',
  async ask() {
    const codec = await defaultCodec();
    const array = new Float64Array(LARGE_BYTES / Float64Array.BYTES_PER_ELEMENT).fill(0.5);
    const bytes = new Uint8Array(array.buffer);
    const times = (digest: () => string) => async (count: number) => {
      for (let n = 0; n < count; n += 1) expectEqual(digest().length, 64);
    };
    const measured = await measure(
      [
        { name: 'routine engine', run: times(() => codec.digest(array)) },
        { name: 'sha256 alone', run: times(() => createHash('sha256').update(bytes).digest('hex')) },
      ],
      LARGE_TIMES,
    );
    const [ours, alone] = measured;
    const speed = (alone?.median ?? Number.NaN) / (ours?.median ?? Number.NaN);
    return {
      measured,
      verdicts: [`routine engine is ${speed.toFixed(2)} x as fast as sha256 alone (to reach: >= 0.9)`],
    };
  },
};
