import { currentRun, define, everythingHere, executionPolicy, Lifecycle } from '@routine-engine/core';
import { EventFeed, LIMITS, type Ids } from '@routine-engine/core/adapter';
import { Service } from '@routine-engine/core/host';
import { InprocTransport, inprocTransport } from '@routine-engine/transport-inproc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedNode } from './fixtures/scripted-node.ts';
import { settle, VirtualClock } from './fixtures/virtual-clock.ts';

let opened: { readonly runId: string; readonly open: () => void }[];
const gated = define.task({ name: 'announced-gated', version: '1.0.0', cache: false }, () => {
  const { runId } = currentRun();
  return new Promise<void>((open) => opened.push({ runId, open }));
});
const waits = define.workflow({ name: 'announced-waits' }, () => gated());

let transport: InprocTransport;
let service: Service;

beforeEach(async () => {
  opened = [];
  transport = new InprocTransport();
  let made = 0;
  const ids: Ids = { next: () => `id-${(made += 1)}` };
  const logger = { log: () => undefined };
  service = new Service({ name: 'service', clock: new VirtualClock(), ids, logger, feed: new EventFeed() });
  service.serve(await transport.listen('inproc:service'));
});
afterEach(() => service.close());

/** Resolves when the service was told of that many runs. */
async function announced(count: number): Promise<void> {
  while (service.announcedRuns.length !== count) await new Promise((resolve) => setImmediate(resolve));
}

describe('a client that runs everything by itself while it is connected', () => {
  it('is seen with its runs, until they end', async () => {
    await using lifecycle = await Lifecycle.init({
      ...{ project: 'test', name: 'laptop' },
      plugins: [executionPolicy(everythingHere), inprocTransport({ transport, address: 'inproc:service' })],
    });
    const [first, second] = [lifecycle.run(() => waits()), lifecycle.run(() => gated.ref())];
    await announced(3);
    expect(service.announcedRuns.map(({ node, routineId }) => [node, routineId])).toEqual([
      ['laptop', 'wfname:test:announced-waits'],
      ['laptop', 'tname:test:announced-gated:1.0.0'],
      ['laptop', 'tname:test:announced-gated:1.0.0'],
    ]);
    const [workflow, task] = service.announcedRuns;
    expect(task).toMatchObject({ parentRunId: workflow?.runId, rootRunId: workflow?.runId });
    expect(service.runsInHand).toBe(0);
    for (const { open } of opened) open();
    await Promise.all([first, second]);
    await announced(0);
  });
});

describe('runs that a node announces', () => {
  const started = (from: number, count: number): object[] =>
    Array.from({ length: count }, (_, index) => {
      const runId = `run-${from + index}`;
      return { runId, rootRunId: runId, routineId: 'wfname:test:best', startedAt: 1 };
    });

  it('are forgotten when it goes', async () => {
    const client = await ScriptedNode.client(transport);
    await client.say({ type: 'v1.run.announced', started: started(0, 2), ended: [] });
    expect(service.announcedRuns).toHaveLength(2);
    await client.say({ type: 'v1.run.announced', started: [], ended: ['run-0', 'unknown'] });
    expect(service.announcedRuns.map(({ runId }) => runId)).toEqual(['run-1']);
    await client.close();
    expect(service.announcedRuns).toEqual([]);
  });

  it('are kept up to a number', async () => {
    const client = await ScriptedNode.client(transport);
    for (let from = 0; from <= LIMITS.announcedRuns; from += 500)
      await client.say({ type: 'v1.run.announced', started: started(from, 500), ended: [] });
    expect(service.announcedRuns).toHaveLength(LIMITS.announcedRuns);
  });

  it.each([
    ['more than 500 at once', { started: started(0, 501), ended: [] }],
    ['no list', { started: 'all', ended: [] }],
    [
      'a run without a time',
      { started: [{ runId: 'a', rootRunId: 'a', routineId: 'wfname:a:b' }], ended: [] },
    ],
    ['an id that is no text', { started: [], ended: [7] }],
    ['an id that is too long', { started: [], ended: ['x'.repeat(65)] }],
  ])('are refused with %s', async (_, fields) => {
    const client = await ScriptedNode.client(transport);
    await client.say({ type: 'v1.run.announced', ...fields });
    await settle();
    expect(client.closed).toBe(true);
  });
});
