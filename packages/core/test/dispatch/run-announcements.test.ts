import { beforeEach, describe, expect, it } from 'vitest';
import { RunAnnouncements, type LocalRun } from '../../src/dispatch/run-announcements.js';
import { LIMITS } from '../../src/model/limits.js';
import type { RunsAnnounced } from '../../src/protocol/announcements.js';
import { Turns } from '../protocol/memory-pipe.js';

let turns: Turns;
let told: RunsAnnounced[];
let announcements: RunAnnouncements;

beforeEach(() => {
  turns = new Turns();
  told = [];
  announcements = new RunAnnouncements(turns, (directive) => told.push(directive));
});

const run = (runId: string): LocalRun => ({ runId, rootRunId: runId, routineId: 'wfname:test:best' });
const started = (): string[] => told.flatMap((directive) => directive.started.map(({ runId }) => runId));
const ended = (): string[] => told.flatMap((directive) => directive.ended);

describe('the runs that a node executes by itself', () => {
  it('are told of once a turn, as they begin and end', async () => {
    const [one, two] = [run('one'), run('two')];
    announcements.begins(one);
    announcements.begins(two);
    expect(told).toEqual([]);
    await turns.settle();
    announcements.ends(one);
    await turns.settle();
    const startedAt = turns.now();
    expect(told).toEqual([
      {
        type: 'v1.run.announced',
        started: [
          { ...one, startedAt },
          { ...two, startedAt },
        ],
        ended: [],
      },
      { type: 'v1.run.announced', started: [], ended: ['one'] },
    ]);
  });

  it('are not told of when they end in the turn that they began in, and their ids are not even made', async () => {
    const short = {
      ...run('short'),
      get runId(): string {
        return expect.unreachable();
      },
    };
    announcements.begins(short);
    announcements.ends(short);
    await turns.settle();
    expect([started(), ended()]).toEqual([[], []]);
  });

  it('are told of in as many directives as they need', async () => {
    const runs = Array.from({ length: 1_001 }, (_, index) => run(`run-${index}`));
    for (const each of runs) announcements.begins(each);
    await turns.settle();
    expect(told.map((directive) => directive.started.length)).toEqual([500, 500, 1]);
  });

  it('are told of up to a number, and others once there is room', async () => {
    const runs = Array.from({ length: LIMITS.announcedRuns + 1 }, (_, index) => run(`run-${index}`));
    for (const each of runs) announcements.begins(each);
    await turns.settle();
    expect(started()).toHaveLength(LIMITS.announcedRuns);
    for (const each of runs) announcements.ends(each);
    await turns.settle();
    expect(ended()).toHaveLength(LIMITS.announcedRuns);
    announcements.begins(run('later'));
    await turns.settle();
    expect(started().at(-1)).toBe('later');
  });

  it('are told of again to a service that knows of none', async () => {
    const [one, two] = [run('one'), run('two')];
    announcements.begins(one);
    announcements.begins(two);
    await turns.settle();
    announcements.ends(two);
    announcements.tellAgain();
    await turns.settle();
    expect([started(), ended()]).toEqual([['one', 'two', 'one'], []]);
  });
});
