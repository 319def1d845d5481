import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bodyOf } from '../../src/model/body.js';
import type { DirectiveHeader } from '../../src/ports/transport.js';
import { PipedCluster } from '../support/piped-cluster.js';
import type { ScriptedPeer } from '../support/scripted-peer.js';

const args = bodyOf({ head: new Uint8Array([1]), buffers: [] });
const error = { name: 'RoutineEngineError', code: 'RUN_CANCELLED', message: 'enough' };

let cluster: PipedCluster;
let client: ScriptedPeer;
let other: ScriptedPeer;
beforeEach(async () => {
  cluster = await PipedCluster.start();
  client = await cluster.client();
  other = await cluster.client('other');
});
afterEach(() => cluster.close());

let asked = 0;
async function ask(question: DirectiveHeader, by = other): Promise<DirectiveHeader> {
  asked += 1;
  await by.say({ type: 'v1.service.ask', ask: String(asked), ...question });
  const answer = by.heard.at(-1) as DirectiveHeader;
  expect(answer).toMatchObject({ type: 'v1.service.answer', ask: String(asked) });
  return answer;
}
const listed = async (filter: DirectiveHeader = {}): Promise<unknown> =>
  (await ask({ question: 'runs', filter }))['runs'];

describe('a node that asks the service', () => {
  it('hears of the runs of others, in the order of their acceptance and with what becomes of them', async () => {
    const worker = await cluster.worker('worker-1');
    await client.request('run-1', args, { parentRunId: 'run-0', rootRunId: 'run-0' });
    await client.request('run-2', args);
    const running = worker.heard.find(({ runId }) => runId === 'run-1') as DirectiveHeader;
    await worker.tell('v1.routine.starting', running, { worker: 'worker-1' });
    const [one, two] = (await listed()) as DirectiveHeader[];
    expect(one).toMatchObject({
      ...{ runId: 'run-1', parentRunId: 'run-0', rootRunId: 'run-0', status: 'RUNNING', attempt: 1 },
      ...{ worker: 'worker-1', requester: 'client', routineId: 'tname:test:train:1.0.0' },
    });
    expect(two).toMatchObject({ runId: 'run-2', status: 'PENDING', attempt: 1, rootRunId: 'run-2' });
    await worker.tell('v1.routine.hanging', running, { waits: true });
    expect(await listed({ status: ['HANGING'] })).toMatchObject([{ runId: 'run-1' }]);
    expect(await ask({ question: 'runs', runId: 'run-2', filter: {} })).toMatchObject({
      runs: [{ runId: 'run-2' }],
    });
    expect(await listed({ limit: 1 })).toHaveLength(1);
    expect(await listed({ routine: 'tname:other' })).toEqual([]);
  });

  it('cancels a run of another, which its requester hears', async () => {
    await client.request('run-1', args);
    expect(await ask({ question: 'cancel', runId: 'run-1', error })).toMatchObject({ cancelled: true });
    expect(client.heard.at(-1)).toMatchObject({ type: 'v1.routine.failed', cancelled: true, error });
    expect(await ask({ question: 'cancel', runId: 'run-1', error })).toMatchObject({ cancelled: false });
  });

  it('cancels a run once that a worker holds, and its worker is told', async () => {
    const worker = await cluster.worker('worker-1');
    await client.request('run-1', args);
    expect(await ask({ question: 'cancel', runId: 'run-1', error })).toMatchObject({ cancelled: true });
    expect(worker.heard.at(-1)).toMatchObject({ type: 'v1.routine.cancel', runId: 'run-1', error });
    expect(await ask({ question: 'cancel', runId: 'run-1', error })).toMatchObject({ cancelled: false });
  });

  it('is given no more than goes into one directive', async () => {
    const long = `tname:test:${'x'.repeat(190)}:1.0.0`;
    for (let n = 0; n < 1_000; n += 1) {
      const ids = { parentRunId: 'p'.repeat(64), rootRunId: 'r'.repeat(64), routineId: long };
      await client.request(`run-${n}`, args, ids);
    }
    const runs = (await listed({ limit: 1_000 })) as unknown[];
    expect(runs.length).toBeGreaterThan(500);
    expect(JSON.stringify(runs).length).toBeLessThan(450_000);
    expect(other.isClosed).toBe(false);
  });

  it.each([
    [{ limit: 0 }, 'OPTION_INVALID'],
    [{ routine: 'train' }, 'ROUTINE_ID_INVALID'],
  ])('is told why it can not be answered: %j', async (filter, code) => {
    expect(await ask({ question: 'runs', filter })).toMatchObject({ error: { code } });
  });

  it.each([
    { question: 'secrets' },
    { question: 'runs' },
    { question: 'runs', filter: { limit: 1_000_000 } },
    { question: 'runs', filter: { status: ['OVER'] } },
    { question: 'cancel', runId: 'x'.repeat(65), error },
    { question: 'cancel', runId: 'run-1' },
  ])('is cut off when it asks %j, and others go on', async (question) => {
    await other.say({ type: 'v1.service.ask', ask: '1', ...question });
    expect(other.isClosed).toBe(true);
    await ask({ question: 'workers' }, client);
  });
});
