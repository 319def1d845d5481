import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { read } from '../protocol/connected.js';
import { LargeBody } from '../support/large-body.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { MiB, small } from '../support/relayed.js';
import type { ScriptedPeer } from '../support/scripted-peer.js';

const remembered = { argumentsDigest: 'a'.repeat(64) };
const failed = {
  ...{ cancelled: false, again: 'no' },
  error: { name: 'RangeError', message: 'no', code: 'NO' },
};

let cluster: PipedCluster;
let worker: ScriptedPeer;
let client: ScriptedPeer;
beforeEach(async () => {
  cluster = await PipedCluster.start();
  worker = await cluster.worker('worker', { slots: 4 });
  client = await cluster.client();
});
afterEach(async () => {
  await cluster.close();
  expect(cluster.turns.pendingTimers, 'timers left after close').toBe(0);
});

const reports = (): unknown[] =>
  worker.all('v1.routine.report_again').map(({ runId, attempt, lease }) => ({ runId, attempt, lease }));

describe('a run that is answered and not acknowledged', () => {
  it('is reported again by its worker when it is requested again, and takes no slot', async () => {
    const only = await cluster.worker('only', { routines: ['tname:test:one:1.0.0'] });
    const one = { routineId: 'tname:test:one:1.0.0' };
    await client.request('run-1', small, one);
    await only.complete(only.lastRequest);
    await client.resume('run-1', one);
    await client.request('run-2', small, one);
    expect(only.asked).toEqual(['run-1', 'run-2']);
    const { runId, attempt, lease } = only.last('v1.routine.report_again');
    await only.complete({ runId, attempt, lease });
    expect(client.all('v1.routine.completed')).toMatchObject([{ runId: 'run-1' }, { runId: 'run-1' }]);
    expect(only.acknowledged).toEqual([]);
    await client.acknowledge('run-1');
    expect(only.acknowledged).toEqual(['run-1']);
  });

  it('is placed anew when its worker is gone', async () => {
    await client.request('run-1', small);
    await worker.complete(worker.lastRequest);
    await worker.close();
    const second = await cluster.worker('second');
    await client.resume('run-1');
    expect(client.last('v1.routine.resend')).toMatchObject({ runId: 'run-1', inline: false });
    await client.request('run-1', small);
    expect(second.lastRequest).toMatchObject({ runId: 'run-1', attempt: 2 });
  });

  it('is placed anew when its worker says that it lost the outcome', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.complete(request);
    await client.resume('run-1');
    await worker.tell('v1.routine.failed', request, { ...failed, again: 'lost' });
    await client.request('run-1', small);
    expect(worker.lastRequest).toMatchObject({ runId: 'run-1', attempt: 2 });
  });

  it('fails again as it did when no worker had to do with it', async () => {
    await worker.close();
    await client.request('run-1', small, { queueTimeoutMs: 500 });
    await cluster.turns.advance(500);
    await client.resume('run-1', { queueTimeoutMs: 500 });
    const ends = client.all('v1.routine.failed');
    expect(ends).toMatchObject([{ error: { code: 'QUEUE_TIMEOUT' } }, { error: { code: 'QUEUE_TIMEOUT' } }]);
    await client.acknowledge('run-1');
    await client.request('run-1', small);
    expect(cluster.service.runsInHand).toBe(1);
  });

  it('is tried again as a new run when the next attempt is requested, which acknowledges it', async () => {
    await client.request('run-1', small);
    await worker.tell('v1.routine.failed', worker.lastRequest, failed);
    await client.request('run-1', small, { attempt: 2 });
    expect(worker.acknowledged).toEqual(['run-1']);
    expect(worker.lastRequest).toMatchObject({ runId: 'run-1', attempt: 2 });
    await client.acknowledge('run-1', 1);
    await worker.tell('v1.routine.failed', worker.lastRequest, failed);
    expect(client.all('v1.routine.failed').map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(worker.acknowledged).toEqual(['run-1']);
  });

  it('is a new run when it is requested as one, whatever attempt that says it is', async () => {
    await client.request('run-1', small);
    await worker.complete(worker.lastRequest);
    await client.request('run-1', small);
    expect(worker.acknowledged).toEqual(['run-1']);
    expect(worker.lastRequest).toMatchObject({ runId: 'run-1', attempt: 2 });
  });

  it('counts the next attempt as tried when it could not be placed', async () => {
    await worker.close();
    await client.request('run-1', small, { attempt: 3, queueTimeoutMs: 500 });
    await cluster.turns.advance(500);
    expect(client.last('v1.routine.failed')).toMatchObject({ attempt: 3 });
  });

  it('is not acknowledged by another attempt, nor by another node', async () => {
    const stranger = await cluster.client('stranger');
    await client.request('run-1', small);
    await worker.complete(worker.lastRequest);
    await client.acknowledge('run-1', 2);
    await stranger.acknowledge('run-1');
    expect(worker.acknowledged).toEqual([]);
  });

  it('is acknowledged for its requester when that is gone, or cancels it', async () => {
    for (const runId of ['run-1', 'run-2']) {
      await client.request(runId, small);
      await worker.complete(worker.lastRequest);
    }
    await client.cancel('run-1');
    expect(worker.acknowledged).toEqual(['run-1']);
    await client.close();
    expect(worker.acknowledged).toEqual(['run-1', 'run-2']);
  });

  it('is acknowledged with the others of its turn by one directive', async () => {
    for (const runId of ['run-1', 'run-2', 'run-3']) {
      await client.request(runId, small);
      await worker.complete(worker.lastRequest);
    }
    const runs = ['run-1', 'run-2', 'run-3'].map((runId) => ({ runId, attempt: 1, lease: 0 }));
    await client.say({ type: 'v1.routine.ack', runs });
    expect(worker.all('v1.routine.ack')).toHaveLength(1);
    expect(worker.acknowledged).toEqual(['run-1', 'run-2', 'run-3']);
  });

  it('is reported once for all who ask for the same again', async () => {
    const other = await cluster.client('other');
    await client.request('run-1', small, remembered);
    await other.request('run-2', small, remembered);
    const { runId, attempt, lease } = worker.lastRequest;
    await worker.complete(worker.lastRequest);
    await other.resume('run-2', remembered);
    await client.resume('run-1', remembered);
    expect(reports()).toEqual([{ runId, attempt, lease }]);
    await worker.complete({ runId, attempt, lease });
    expect(client.all('v1.routine.completed')).toHaveLength(2);
    expect(other.all('v1.routine.completed')).toHaveLength(2);
    await other.acknowledge('run-2');
    expect(worker.acknowledged).toEqual([]);
    await client.acknowledge('run-1');
    expect(worker.acknowledged).toEqual(['run-1']);
  });

  it('is over when its requester has a result that still streams from here', async () => {
    await client.request('run-1', small);
    await worker.complete(worker.lastRequest, new LargeBody(8 * MiB));
    await client.acknowledge('run-1');
    expect(cluster.service.runsInHand).toBe(0);
    expect(worker.acknowledged).toEqual(['run-1']);
    await cluster.turns.until(read(client.bodyOfLast('v1.routine.completed')));
  });
});

describe('a report without a valid lease', () => {
  it.each([
    ['a result', 'v1.routine.completed', { durationMs: 1 }],
    ['a failure', 'v1.routine.failed', failed],
  ])('that is %s is acknowledged, so that nobody keeps it', async (_, type, fields) => {
    const stale = { runId: 'run-9', attempt: 1, lease: 99 };
    await worker.tell(type, stale, fields, type === 'v1.routine.completed' ? small : undefined);
    expect(worker.acknowledged).toEqual(['run-9']);
  });
});
