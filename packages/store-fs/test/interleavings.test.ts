import path from 'node:path';
import process from 'node:process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newDirectory } from './place.ts';
import { Agent } from './support/agents.ts';
import {
  answerOf,
  type Command,
  type Done,
  orderOf,
  type State,
  stateOf,
  untruths,
} from './support/interleaving.ts';

/** How many runs; set `STORE_FS_INTERLEAVINGS` for more. */
const RUNS = Number(process.env['STORE_FS_INTERLEAVINGS'] ?? 30);
const AGENTS = 3;

const command: fc.Arbitrary<Command> = fc.record({
  agent: fc.nat(AGENTS - 1),
  what: fc.constantFrom<Command['what'][]>(
    ...(['put', 'put', 'get', 'get', 'has', 'delete', 'pin', 'unpin'] as const),
    ...(['putBlob', 'putBlob', 'getBlob', 'deleteBlob', 'pin', 'collect', 'collect'] as const),
  ),
  of: fc.nat(2),
  byteLength: fc.constantFrom(0, 100, 5_000, 300_000),
  stream: fc.boolean(),
});
/** Commands of one batch go on at once; between batches everything is looked at. */
const batches = fc.array(fc.array(command, { minLength: 1, maxLength: 8 }), {
  minLength: 3,
  maxLength: 8,
  size: 'max',
});

it(
  'processes that put, get, pin, delete and collect the same things at once are all told the truth',
  { timeout: 60_000 + RUNS * 3_000 },
  async () => {
    const top = newDirectory();
    const agents = await Promise.all(
      Array.from({ length: AGENTS }, () => Agent.open(path.join(top, 'first'))),
    );
    let runs = 0;
    const property = fc.asyncProperty(batches, async (given) => {
      runs += 1;
      const dir = path.join(top, String(runs));
      await Promise.all(agents.map((agent) => agent.ask({ operation: 'open', dir, fsync: false })));
      let before: State = { results: new Map(), blobs: new Set() };
      for (const [number, batch] of given.entries()) {
        const named = batch.map((one, at) => ({ ...one, tag: `${number}.${at}` }));
        const done = await Promise.all(
          named.map(async (one): Promise<Done> => {
            const agent = agents[one.agent] ?? agents[0];
            return { ...one, answer: agent && (await answerOf(agent, orderOf(one, one.tag))) };
          }),
        );
        const [now, ...others] = await Promise.all(agents.map(stateOf));
        if (!now) throw new Error('There are no agents');
        for (const other of others) expect(other).toEqual(now);
        expect(untruths(before, done, now)).toEqual([]);
        before = now;
      }
    });
    await fc.assert(property, {
      numRuns: RUNS,
      seed: 20_261_124,
      endOnFailure: process.env['CI'] !== undefined,
    });
    for (const agent of agents) expect(agent.events).toEqual([]);
    await Promise.all(agents.map((agent) => agent.close()));
  },
);
