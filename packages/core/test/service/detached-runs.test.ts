import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bodyOf, encodedOf } from '../../src/model/body.js';
import { LIMITS } from '../../src/model/limits.js';
import type { DirectiveHeader } from '../../src/ports/transport.js';
import { DetachedRuns } from '../../src/service/detached-runs.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { LargeBody } from '../support/large-body.js';
import { small } from '../support/relayed.js';
import { holdOf, type ScriptedPeer } from '../support/scripted-peer.js';

const ROUTINE = 'tname:test:train:1.0.0';
const detached = { detached: true };
const FAILED = { cancelled: false, again: 'no', error: { name: 'Error', message: 'no', code: 'NO' } };

let cluster: PipedCluster;
let worker: ScriptedPeer;
let client: ScriptedPeer;
beforeEach(async () => {
  cluster = await PipedCluster.start();
  worker = await cluster.worker('worker');
  client = await cluster.client();
});
afterEach(async () => {
  await cluster.close();
  expect(cluster.turns.pendingTimers, 'timers left after close').toBe(0);
});

/** What a node that comes later hears of a run. */
async function asked(runId: string): Promise<ScriptedPeer> {
  const other = await cluster.client('other');
  await other.observe(runId);
  return other;
}

async function known(runId: string): Promise<unknown> {
  const other = await cluster.client('who asks');
  await other.say({ type: 'v1.service.ask', ask: 'a', question: 'runs', runId, filter: {} });
  return (other.last('v1.service.answer')['runs'] as unknown[])[0];
}

async function valueHeard(peer: ScriptedPeer): Promise<Uint8Array> {
  const body = peer.bodyOfLast('v1.routine.completed');
  if (!body) throw new Error('no body came');
  return (await encodedOf(body)).head;
}

const codeOf = ({ error }: DirectiveHeader): unknown => (error as { code?: unknown }).code;

describe('a detached run', () => {
  it('is accepted at once, and told to its requester as any other', async () => {
    await client.request('run-1', small, detached);
    await worker.complete(worker.lastRequest);
    expect(client.heard.map(({ type }) => type)).toEqual([
      'welcome',
      'v1.routine.accepted',
      'v1.routine.completed',
    ]);
    await cluster.pass(1_000);
    expect(worker.acknowledged, 'its worker need not keep the outcome').toEqual(['run-1']);
  });

  it('goes on when its requester leaves, and whoever asks hears how it ends', async () => {
    await client.request('run-1', small, detached);
    const request = worker.lastRequest;
    await client.close();
    expect(worker.all('v1.routine.cancel')).toEqual([]);
    const other = await asked('run-1');
    await worker.tell('v1.routine.starting', request, { worker: 'worker' });
    await worker.complete(request);
    expect(other.heard.map(({ type }) => type)).toEqual([
      'welcome',
      'v1.routine.starting',
      'v1.routine.completed',
    ]);
    expect(await valueHeard(other)).toEqual(new Uint8Array([9]));
  });

  it('waits for a worker also when its requester is gone by then', async () => {
    await worker.close();
    await client.request('run-1', small, detached);
    await client.close();
    worker = await cluster.worker('late');
    expect(worker.asked).toEqual(['run-1']);
  });

  it('is known with its outcome after its end, to each that asks, for an hour', async () => {
    await client.request('run-1', small, detached);
    await worker.complete(worker.lastRequest);
    await client.close();
    expect(await known('run-1')).toMatchObject({ status: 'DONE', detached: true, requester: 'client' });
    for (const other of [await asked('run-1'), await asked('run-1')])
      expect(await valueHeard(other)).toEqual(new Uint8Array([9]));
    await cluster.pass(LIMITS.detachedOutcomesMs - 1_000);
    expect(await known('run-1')).toBeDefined();
    await cluster.pass(2_000);
    expect(await known('run-1')).toBeUndefined();
    expect(codeOf((await asked('run-1')).last('v1.routine.failed'))).toBe('RUN_UNKNOWN');
  });

  it('that fails is known with its error', async () => {
    await client.request('run-1', small, detached);
    await worker.tell('v1.routine.failed', worker.lastRequest, FAILED);
    await client.close();
    expect(await known('run-1')).toMatchObject({ status: 'FAILED' });
    expect((await asked('run-1')).last('v1.routine.failed')).toMatchObject({ error: FAILED.error });
  });

  it('is cancelled by whoever asks for that, and by its requester', async () => {
    await client.request('run-1', small, detached);
    await client.cancel('run-1');
    expect(worker.last('v1.routine.cancel')).toMatchObject({ runId: 'run-1' });
    await worker.tell('v1.routine.failed', worker.lastRequest, { ...FAILED, cancelled: true });
    expect(await known('run-1')).toMatchObject({ status: 'CANCELLED' });
    await client.request('run-2', small, detached);
    const other = await cluster.client('other');
    const { error } = FAILED;
    await other.say({ type: 'v1.service.ask', ask: 'a', question: 'cancel', runId: 'run-2', error });
    expect(other.last('v1.service.answer')).toMatchObject({ cancelled: true });
    expect(worker.last('v1.routine.cancel')).toMatchObject({ runId: 'run-2' });
  });

  it('goes to another worker when its own is lost, whether or not its requester is there', async () => {
    const other = await cluster.worker('other');
    await client.request('run-1', small, detached);
    await client.close();
    await worker.close();
    expect(other.asked).toEqual(['run-1']);
    await other.complete(other.lastRequest);
    expect(await known('run-1')).toMatchObject({ status: 'DONE' });
  });

  it('may be tried again by its requester after it failed', async () => {
    await client.request('run-1', small, detached);
    await worker.tell('v1.routine.failed', worker.lastRequest, FAILED);
    await client.request('run-1', small, { ...detached, attempt: 2 });
    expect(await known('run-1')).toMatchObject({ status: 'PENDING', detached: true });
    await worker.complete(worker.lastRequest);
    expect(await known('run-1')).toMatchObject({ status: 'DONE' });
  });

  it('is told again to a requester that lost its connection, and not run again', async () => {
    await client.request('run-1', small, detached);
    await client.cut();
    await worker.complete(worker.lastRequest);
    client = await cluster.client('client', client.session);
    await client.resume('run-1', detached);
    expect(client.heard.map(({ type }) => type)).toEqual([
      'welcome',
      'v1.routine.accepted',
      'v1.routine.completed',
    ]);
    expect(worker.asked).toEqual(['run-1']);
  });
});

describe('the result of a detached run', () => {
  it('that streams is read by the service, once, and told to all', async () => {
    await client.request('run-1', small, detached);
    const bytes = 1024 * 1024;
    await worker.complete(worker.lastRequest, new LargeBody(bytes));
    await cluster.turns.settle();
    for (const peer of [client, await asked('run-1')])
      expect(peer.last('v1.routine.completed')).toBeDefined();
    const body = (await asked('run-1')).bodyOfLast('v1.routine.completed');
    expect(body?.byteLength).toBe(bytes);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('that is larger than the service keeps fails the run', async () => {
    await client.request('run-1', small, detached);
    await worker.complete(worker.lastRequest, new LargeBody(LIMITS.detachedResultBytes + 1));
    await cluster.turns.settle();
    expect(codeOf(client.last('v1.routine.failed'))).toBe('RESULT_NOT_KEPT');
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('is kept for as many runs as the service keeps, the oldest forgotten first', async () => {
    worker = await cluster.worker('quick', { slots: 100_000 });
    for (let n = 0; n <= LIMITS.detachedOutcomes; n += 1) {
      await client.request(`run-${n}`, small, { ...detached, routineId: 'tname:test:other:1.0.0' });
      await client.cancel(`run-${n}`);
    }
    expect(await known('run-0')).toBeUndefined();
    expect(await known('run-1')).toMatchObject({ status: 'CANCELLED' });
  });
});

describe('what the service keeps of detached runs', () => {
  it('is bounded in bytes, the oldest forgotten first', () => {
    const runs = new DetachedRuns(cluster.turns);
    const body = bodyOf({ head: new Uint8Array(LIMITS.detachedResultBytes), buffers: [] });
    const most = LIMITS.detachedOutcomesBytes / LIMITS.detachedResultBytes;
    const request = (n: number) => ({ runId: `run-${n}`, rootRunId: `run-${n}`, routineId: ROUTINE });
    for (let n = 0; n <= most; n += 1) {
      const done = { type: 'v1.routine.completed', attempt: 1, lease: 0, durationMs: 1 } as const;
      runs.take(request(n), undefined).post({ ...done, runId: `run-${n}` }, body);
    }
    expect([...runs.all].map(({ request: { runId } }) => runId)).toEqual(
      Array.from({ length: most }, (_, n) => `run-${n + 1}`),
    );
    runs.close();
  });
});

describe('when the service is started anew', () => {
  const hold = (request: DirectiveHeader, state: 'running' | 'finished') => ({
    ...holdOf(request, state),
    detached: { routineId: ROUTINE, rootRunId: String(request['runId']) },
  });

  async function restart(state: 'running' | 'finished'): Promise<DirectiveHeader> {
    const request = worker.lastRequest;
    await cluster.crash();
    await cluster.restart();
    worker = await cluster.worker('worker', { resume: worker.session, holds: [hold(request, state)] });
    return request;
  }

  it('a detached run that a worker has in hand goes on, though its requester is gone', async () => {
    await client.request('run-1', small, detached);
    await client.close();
    const request = await restart('running');
    await cluster.pass(LIMITS.clientLeaseMs + 1_000);
    expect(worker.all('v1.routine.cancel')).toEqual([]);
    await worker.complete(request);
    expect(await known('run-1')).toMatchObject({ status: 'DONE', routineId: ROUTINE });
    expect(await valueHeard(await asked('run-1'))).toEqual(new Uint8Array([9]));
  });

  it('one whose outcome a worker still keeps is reported again', async () => {
    await client.request('run-1', small, detached);
    await client.close();
    const request = await restart('finished');
    expect(worker.last('v1.routine.report_again')).toMatchObject({ runId: 'run-1' });
    await worker.complete(request);
    expect(await known('run-1')).toMatchObject({ status: 'DONE' });
  });

  it('one is asked for that is not known yet: that waits for its worker to come back', async () => {
    await client.request('run-1', small, detached);
    await client.close();
    const request = worker.lastRequest;
    await cluster.crash();
    await cluster.restart();
    const [other, mistaken] = [await asked('run-1'), await asked('run-2')];
    worker = await cluster.worker('worker', { resume: worker.session, holds: [hold(request, 'running')] });
    await worker.complete(request);
    expect(await valueHeard(other)).toEqual(new Uint8Array([9]));
    expect(mistaken.all('v1.routine.failed')).toEqual([]);
    await cluster.pass(LIMITS.leaseMs);
    expect(codeOf(mistaken.last('v1.routine.failed'))).toBe('RUN_UNKNOWN');
  });

  it('one that its requester asks for again goes on, or is placed when no worker has it', async () => {
    await client.request('run-1', small, detached);
    await cluster.crash();
    await cluster.restart();
    client = await cluster.client('client', client.session);
    await client.resume('run-1', detached);
    worker = await cluster.worker('worker', { resume: worker.session });
    await cluster.pass(LIMITS.leaseMs);
    await client.request('run-1', small, detached);
    expect(worker.asked).toEqual(['run-1']);
    await worker.complete(worker.lastRequest);
    expect(await known('run-1')).toMatchObject({ status: 'DONE' });
  });
});
