import { currentRun, define } from '@routine-engine/core';
import {
  bodyOf,
  CODEC,
  IDS,
  ROUTINE_CATALOG,
  type Connection,
  type DirectiveHeader,
  type PartGetter,
} from '@routine-engine/core/adapter';
import {
  InlineExecutor,
  type Service,
  type WorkerNode,
  type WorkerNodeParts,
} from '@routine-engine/core/host';
import { InprocTransport } from '@routine-engine/transport-inproc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultParts } from './fixtures/default-parts.ts';
import { serviceOf, workerOf } from './fixtures/nodes.ts';
import { ScriptedNode } from './fixtures/scripted-node.ts';
import { settle, VirtualClock } from './fixtures/virtual-clock.ts';

const gates = new Map<string, () => void>();
const routineId = 'tname:test:gated:1.0.0';
define.task({ name: 'gated', version: '1.0.0', cache: false }, async () => {
  const { runId, signal } = currentRun();
  await new Promise<void>((resolve, reject) => {
    gates.set(runId, resolve);
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
  return runId;
});

let parts: PartGetter;
let close: () => Promise<void>;
let clock: VirtualClock;
let transport: InprocTransport;

beforeEach(async () => {
  ({ parts, close } = await defaultParts());
  gates.clear();
  clock = new VirtualClock();
  transport = new InprocTransport();
});
afterEach(() => close());

/** A real worker that runs bodies in this thread. */
async function startWorker(name: string, more: Partial<WorkerNodeParts> = {}): Promise<WorkerNode> {
  const [ids, codec, catalog] = [parts.get(IDS), parts.get(CODEC), parts.get(ROUTINE_CATALOG)];
  const worker = workerOf(parts, {
    ...{ identity: { name, project: 'test' }, transport, clock },
    executor: new InlineExecutor({ codec, catalog, clock, ids }),
    ...more,
  });
  await worker.start();
  await settle();
  return worker;
}

const statusOf = (worker: WorkerNode): string => {
  let now = '';
  worker.status$.subscribe((status) => (now = status)).unsubscribe();
  return now;
};

describe('a worker that is to stop', () => {
  let service: Service;
  let client: ScriptedNode;
  const request = (runId: string): Promise<void> => {
    const header = {
      type: 'v1.routine.request_start',
      runId,
      rootRunId: runId,
      routineId,
      attempt: 1,
      lease: 0,
    };
    return client.say(header, bodyOf(parts.get(CODEC).encode([])));
  };
  const finish = async (runId: string): Promise<void> => {
    gates.get(runId)?.();
    await settle();
  };

  beforeEach(async () => {
    service = serviceOf(parts, { clock });
    service.serve(await transport.listen('inproc:service'));
    client = await ScriptedNode.client(transport);
  });
  afterEach(() => service.close());

  it('ends what it holds within its grace, and takes no more', async () => {
    const worker = await startWorker('worker');
    await request('run-1');
    const stopped = worker.stop({ graceMs: 60_000 });
    await settle();
    expect(statusOf(worker)).toBe('TERMINATING');
    await request('run-2');
    await finish('run-1');
    await stopped;
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-1' });
    expect([...gates.keys()]).toEqual(['run-1']);
    expect(service.runsInHand).toBe(1);
  });

  it('gives back what takes longer, and that is no fault of the run', async () => {
    // As often as a run may bring down its worker.
    for (const name of ['one', 'two', 'three']) {
      const worker = await startWorker(name);
      if (name === 'one') await request('run-1');
      const stopped = worker.stop({ graceMs: 1_000 });
      await clock.advance(999);
      expect(client.all('v1.routine.waiting').filter((waiting) => waiting['error'])).toHaveLength(
        ['one', 'two', 'three'].indexOf(name),
      );
      await clock.advance(1);
      await stopped;
      expect(client.last('v1.routine.waiting')['error']).toMatchObject({ code: 'WORKER_LOST' });
    }
    const last = await startWorker('last');
    await finish('run-1');
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-1', attempt: 4 });
    await last.stop();
  });

  it('ends its grace when it is told to stop once more', async () => {
    const worker = await startWorker('worker');
    await request('run-1');
    const stopped = [worker.stop({ graceMs: 60_000 }), worker.stop()];
    await Promise.all(stopped);
    expect(client.last('v1.routine.waiting')['error']).toMatchObject({ code: 'WORKER_LOST' });
    await worker.stop({ graceMs: 60_000 });
  });

  it('has no grace unless it is told so', async () => {
    const worker = await startWorker('worker');
    await request('run-1');
    await worker.stop();
    expect(client.last('v1.routine.waiting')['error']).toMatchObject({ code: 'WORKER_LOST' });
  });
});

describe('a run that comes where it can not be taken', () => {
  /** What a worker answers to a service that does not heed what it said. */
  async function answers(
    more: Partial<WorkerNodeParts>,
    before: (worker: WorkerNode) => void,
  ): Promise<unknown[]> {
    const listener = await transport.listen('inproc:service');
    const heard: DirectiveHeader[] = [];
    let connection: Connection | undefined;
    let sent = 0;
    const say = (header: DirectiveHeader): void => {
      sent += 1;
      const body = bodyOf(parts.get(CODEC).encode([]));
      connection?.send({ header: { session: 'session', sequence: sent, ...header }, body });
    };
    listener.connections$.subscribe((made) => {
      connection = made;
      made.inbound$.subscribe(({ header }) => {
        heard.push(header);
        if (header['type'] !== 'hello') return;
        const welcome = { type: 'welcome', protocol: 1, session: 'session', service: 'scripted' };
        made.send({ header: { ...welcome, resumed: false, heartbeatMs: 2_000, leaseMs: 10_000 } });
      });
    });
    const worker = await startWorker('worker', more);
    const start = { type: 'v1.routine.request_start', attempt: 1, routineId };
    say({ ...start, runId: 'run-1', rootRunId: 'run-1', lease: 1 });
    await settle();
    before(worker);
    say({ ...start, runId: 'run-2', rootRunId: 'run-2', lease: 2 });
    await settle();
    gates.get('run-1')?.();
    await settle();
    await worker.stop();
    await listener.close();
    return heard.filter(({ type, runId }) => type === 'v1.routine.failed' && runId === 'run-2');
  }
  const busy = [
    expect.objectContaining({ again: 'busy', error: expect.objectContaining({ code: 'WORKER_BUSY' }) }),
  ];

  it('is answered with WORKER_BUSY by a worker that has no slot', async () => {
    expect(await answers({ slots: 1, inbox: 0 }, () => undefined)).toEqual(busy);
  });

  it('is answered with WORKER_BUSY by a worker that drains', async () => {
    expect(await answers({ slots: 2 }, (worker) => void worker.stop({ graceMs: 60_000 }))).toEqual(busy);
  });

  it('is answered with WORKER_BUSY by a worker that accepts no work', async () => {
    expect(await answers({ acceptsWork: false }, () => undefined)).toEqual(busy);
  });
});

describe('a worker that accepts no work', () => {
  it('is seen, and given no runs', async () => {
    const service = serviceOf(parts, { clock });
    service.serve(await transport.listen('inproc:service'));
    const idle = await startWorker('idle', { acceptsWork: false, labels: { zone: 'eu' } });
    const client = await ScriptedNode.client(transport);
    await client.request('run-1', { routineId });
    expect(client.last('v1.routine.waiting')).toMatchObject({
      detail: expect.stringContaining('no worker offers'),
    });
    expect(service.workers).toEqual([
      expect.objectContaining({
        name: 'idle',
        status: 'IDLE',
        acceptsWork: false,
        slots: 1,
        labels: { zone: 'eu' },
      }),
    ]);
    expect(service.workers[0]?.routines).toContain(routineId);
    await idle.stop();
    expect(service.workers).toEqual([]);
    await service.close();
  });
});
