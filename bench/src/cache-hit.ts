import { createHash } from 'node:crypto';
import { readFile } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Lifecycle, type EnginePlugin } from '@routine-engine/core';
import { fsStore } from '@routine-engine/store-fs';
import { Packr } from 'msgpackr';
import { expectEqual, measure, type Contender } from './measure.js';
import { ratio, type Question } from './question.js';
import { rememberedNumber } from './routines.js';

/** Results that are asked for in turns. */
const KEPT = 64;
const packr = new Packr({ useRecords: false });

/** Asks for kept results one after the other. */
async function hitsAlone(times: number): Promise<void> {
  for (let at = 0; at < times; at += 1) expectEqual(await rememberedNumber(at % KEPT), at % KEPT);
}

/** Asks for kept results, so many at once. */
const hits = (inFlight: number) => async (times: number) => {
  for (let at = 0; at < times; at += inFlight) {
    const asked = Array.from({ length: inFlight }, (_, index) => (at + index) % KEPT);
    const answers = await Promise.all(asked.map((n) => rememberedNumber(n)));
    answers.forEach((answer, index) => expectEqual(answer, asked[index]));
  }
};

async function keepAll(plugins: readonly EnginePlugin[]): Promise<Lifecycle> {
  const lifecycle = await Lifecycle.init({ project: 'bench', plugins });
  for (let n = 0; n < KEPT; n += 1) await rememberedNumber(n);
  return lifecycle;
}

/** The least that a hit takes: a key of the arguments, a map, and unpacking. */
function rawMemory(): Contender {
  const keyOf = (n: number): string =>
    createHash('sha256')
      .update(packr.pack([n]))
      .digest('hex');
  const kept = new Map(Array.from({ length: KEPT }, (_, n) => [keyOf(n), packr.pack(n)] as const));
  return {
    name: 'key + Map + unpack',
    async run(times) {
      for (let at = 0; at < times; at += 1) {
        const n = at % KEPT;
        expectEqual(await packr.unpack(kept.get(keyOf(n)) as Buffer), n);
      }
    },
  };
}

export const memoryHit: Question = {
  name: 'hit-memory',
  title: 'A remembered small result from the memory store',
  async ask() {
    await using _ = await keepAll([]);
    const measured = await measure([{ name: 'routine engine', run: hitsAlone }, rawMemory()], 20_000);
    return {
      measured,
      verdicts: [`routine engine takes ${measured[0]?.median.toFixed(2)} us (to reach: <= 5 us)`],
    };
  },
};

export const fsHit: Question = {
  name: 'hit-fs',
  title: 'A remembered small result from a directory',
  async ask() {
    const dir = await mkdtemp(join(tmpdir(), 'routine-bench-'));
    const pathOf = (n: number): string => join(dir, `raw-${n}`);
    for (let n = 0; n < KEPT; n += 1) await writeFile(pathOf(n), packr.pack(n));
    const readOne = promisify(readFile);
    const raw = (inFlight: number) => async (times: number) => {
      for (let at = 0; at < times; at += inFlight) {
        const read = Array.from({ length: inFlight }, (_, index) => readOne(pathOf((at + index) % KEPT)));
        for (const bytes of await Promise.all(read)) packr.unpack(bytes);
      }
    };
    const lifecycle = await keepAll([fsStore({ dir: join(dir, 'store'), fsync: false })]);
    const measured = await measure(
      [
        { name: 'routine engine, alone', run: hitsAlone },
        { name: 'readFile callback + unpack, alone', run: raw(1) },
        { name: 'routine engine, 64 in flight', run: hits(64) },
        { name: 'readFile callback + unpack, 64 in flight', run: raw(64) },
      ],
      4_096,
    );
    await lifecycle.shutdown();
    await rm(dir, { recursive: true });
    return {
      measured,
      verdicts: [
        ratio(measured, 'readFile callback + unpack, alone', '<= 1.5'),
        `routine engine takes ${measured[2]?.median.toFixed(2)} us with 64 in flight (to reach: <= 20 us)`,
      ],
    };
  },
};
