import type { EngineEvent, RunLog, RunRequested } from '@routine-engine/core';
import { bodyOf, CLOCK, CODEC, EventFeed } from '@routine-engine/core/adapter';
import { ThreadExecutor } from '@routine-engine/core/host';
import { InprocTransport } from '@routine-engine/transport-inproc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { engines, type Opened } from './fixtures/engines.ts';
import { defaultParts } from './fixtures/default-parts.ts';
import { serviceOf, workerOf } from './fixtures/nodes.ts';
import { ScriptedNode } from './fixtures/scripted-node.ts';
import {
  callsQuick,
  callsShaky,
  doomed,
  echoed,
  grade,
  gradeAll,
  quick,
  sketch,
  weigh,
} from './fixtures/trigger-routines.ts';

const modules = [new URL('./fixtures/trigger-routines.ts', import.meta.url)];
/** What a handler said that it was given. */
interface Told {
  readonly runId: string;
  readonly routineId: string;
  readonly when: string;
  readonly text: string;
  readonly startedAt?: number;
  readonly worker?: string;
}

describe.each(engines({ modules }))('triggers on %s', (_, start) => {
  let opened: Opened;
  beforeEach(async () => {
    opened = await start();
  });
  afterEach(() => opened.lifecycle.shutdown());

  const isOf =
    (name: string) =>
    (event: { readonly routineId: string }): boolean =>
      event.routineId === `wfname:test:${name}`;
  const told = async (name: string, fits: (told: Told) => boolean = () => true): Promise<Told> => {
    const read = (event: RunLog): Told => JSON.parse(event.message) as Told;
    return read(await opened.event('run.log', (event) => isOf(name)(event) && fits(read(event))));
  };
  const requestsOf = (events: readonly EngineEvent[], routineId: string): RunRequested[] =>
    events.filter((event) => event.type === 'run.requested').filter((event) => event.routineId === routineId);

  it('give the handler the run and a reference to its result, also when the store gave that', async () => {
    expect(await grade(7)).toEqual({ points: 7 });
    const completed = await told('tell-grade', ({ when }) => when === 'completed');
    const [first] = requestsOf(opened.events, 'tname:test:grade:1.0.0');
    expect(completed).toMatchObject({
      runId: first?.runId,
      routineId: 'tname:test:grade:1.0.0',
      text: '{"points":7}',
    });
    expect(completed.startedAt).toBeTypeOf('number');
    expect(completed.worker).toBeTypeOf('string');
    expect(await grade(7)).toEqual({ points: 7 });
    const cached = await told('tell-grade', ({ when }) => when === 'cached');
    const second = requestsOf(opened.events, 'tname:test:grade:1.0.0')[1];
    expect(cached).toMatchObject({ runId: second?.runId, text: '{"points":7}' });
    expect(cached.worker).toBeUndefined();
  });

  it('are requested before the caller hears of the end', async () => {
    await grade(3);
    expect(requestsOf(opened.events, 'wfname:test:tell-grade')).toHaveLength(1);
    await expect(grade(-3)).rejects.toThrow('below zero');
    expect(requestsOf(opened.events, 'wfname:test:on-grade-failed')).toHaveLength(1);
  });

  it('give the handler the error of a run that failed', async () => {
    await expect(grade(-1)).rejects.toThrow('-1 is below zero');
    expect(await told('on-grade-failed')).toMatchObject({ when: 'failed', text: '-1 is below zero' });
  });

  it('answer each run once, by a run of its own that belongs to no other', async () => {
    expect(await gradeAll([1, 2, 3, 4, 5])).toBe(5);
    const texts = [1, 2, 3, 4, 5].map((points) => JSON.stringify({ points }));
    await Promise.all(texts.map((wanted) => told('tell-grade', ({ text }) => text === wanted)));
    const graded = requestsOf(opened.events, 'tname:test:grade:1.0.0');
    const answers = requestsOf(opened.events, 'wfname:test:tell-grade');
    expect(new Set(answers.map(({ triggeredBy }) => triggeredBy))).toEqual(
      new Set(graded.map(({ runId }) => runId)),
    );
    expect([answers.length, new Set(answers.map(({ runId }) => runId)).size]).toEqual([5, 5]);
    for (const answer of answers) expect(answer).not.toHaveProperty('parentRunId');
    expect(answers.map(({ rootRunId }) => rootRunId)).toEqual(answers.map(({ runId }) => runId));
  });

  it('give the result of a workflow, and of a task that still changes, by reference too', async () => {
    await gradeAll([1, 2]);
    expect(await told('on-grade-all-completed')).toMatchObject({ when: 'completed', text: '2' });
    await sketch('a draft');
    expect(await told('tell-sketch')).toMatchObject({ when: 'completed', text: '{"text":"a draft"}' });
  });

  it('run the handler only where the filter says so', async () => {
    await weigh(5);
    const light = await opened.event('run.completed', isOf('tell-heavy'));
    await weigh(50);
    expect(await told('tell-heavy')).toMatchObject({ text: '50' });
    expect(opened.events.filter((event) => event.type === 'run.log' && event.runId === light.runId)).toEqual(
      [],
    );
  });

  it('leave the run as it is when the handler fails, and tell that', async () => {
    expect(await doomed()).toBe('fine');
    const failed = await opened.event('trigger.failed');
    const [answered] = requestsOf(opened.events, 'tname:test:doomed:1.0.0');
    expect(failed).toMatchObject({
      routineId: 'wfname:test:fails',
      triggeredBy: answered?.runId,
      error: { name: 'RangeError', message: 'The handler is out of range' },
    });
    expect(await opened.event('run.failed', isOf('fails'))).toMatchObject({ runId: failed.runId });
  });

  it('run the handler again as its retries say', async () => {
    await callsShaky();
    expect(await opened.event('run.log', isOf('retries'))).toMatchObject({ attempt: 2 });
    expect(opened.events.filter(({ type }) => type === 'trigger.failed')).toEqual([]);
  });

  it('end where a handler leads back to itself', async () => {
    expect(await echoed(0)).toBe(0);
    const failed = await opened.event('trigger.failed');
    expect(failed).toMatchObject({ routineId: 'wfname:test:echoes', error: { code: 'TRIGGER_TOO_DEEP' } });
    expect(requestsOf(opened.events, 'wfname:test:echoes')).toHaveLength(8);
    expect(requestsOf(opened.events, 'tname:test:echoed:1.0.0')).toHaveLength(9);
  });

  it.each([
    ['called from here', () => quick()],
    ['called by a workflow', () => callsQuick()],
  ])('are waited for at shutdown: of a run %s', async (__, call) => {
    expect(await call()).toBe('done');
    await opened.lifecycle.shutdown();
    const logs = opened.events.filter((event) => event.type === 'run.log').map(({ message }) => message);
    expect(logs).toEqual(['after 50 steps']);
  });
});

describe('the handlers of a worker', () => {
  it('are left to the service when their worker stops', async () => {
    const { parts, close } = await defaultParts();
    const transport = new InprocTransport();
    const feed = new EventFeed<EngineEvent>();
    const service = serviceOf(parts, { feed });
    service.serve(await transport.listen('inproc:service'));
    // Of workers that are free it is the first.
    const other = await ScriptedNode.worker(transport, 'other', { routines: ['wfname:test:takes-long'] });
    const executor = new ThreadExecutor({ threads: { modules }, clock: parts.get(CLOCK) });
    const worker = workerOf(parts, { transport, feed, executor });
    await worker.start();
    const client = await ScriptedNode.client(transport);
    const args = parts.get(CODEC).encode([]);
    const told: EngineEvent[] = [];
    feed.events$.subscribe((event) => told.push(event));
    const request = {
      type: 'v1.routine.request_start',
      runId: 'root',
      rootRunId: 'root',
      attempt: 1,
      lease: 0,
    };
    await client.say({ ...request, routineId: 'wfname:test:calls-quick' }, bodyOf(args));
    await client.hears('v1.routine.completed');
    expect(client.all('v1.routine.completed')).toMatchObject([{ runId: 'root' }]);
    expect(other.last('v1.routine.request_start')).toMatchObject({ routineId: 'wfname:test:takes-long' });
    await worker.stop();
    await client.close();
    expect(client.closed).toBe(true);
    expect(other.all('v1.routine.cancel')).toEqual([]);
    expect(service.runsInHand).toBe(1);
    await other.complete(other.last('v1.routine.request_start'));
    expect(service.runsInHand).toBe(0);
    expect(told.filter(({ type }) => type === 'trigger.failed' || type === 'run.cancelled')).toEqual([]);
    await service.close();
    await close();
  });
});
