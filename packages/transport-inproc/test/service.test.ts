import type { EngineEvent } from '@routine-engine/core';
import { EventFeed, type Logger } from '@routine-engine/core/adapter';
import { Service, type ServiceSettings } from '@routine-engine/core/host';
import { InprocTransport } from '@routine-engine/transport-inproc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedNode } from './fixtures/scripted-node.ts';
import { VirtualClock, settle } from './fixtures/virtual-clock.ts';

let clock: VirtualClock;
let transport: InprocTransport;
let service: Service;
let events: EngineEvent[];
let logged: string[];
let newService: (settings?: ServiceSettings) => Service;

beforeEach(async () => {
  clock = new VirtualClock();
  transport = new InprocTransport();
  const feed = new EventFeed<EngineEvent>();
  events = [];
  feed.events$.subscribe((event) => events.push(event));
  logged = [];
  const logger: Logger = { log: (level, message) => void logged.push(`${level} ${message}`) };
  let made = 0;
  const ids = { next: () => `id-${(made += 1)}` };
  newService = (settings) => new Service({ ...settings, name: 'service', clock, ids, logger, feed });
  service = newService();
  service.serve(await transport.listen('inproc:service'));
});

afterEach(async () => {
  await service.close();
  expect(clock.pending, 'timers left after close').toBe(0);
});

describe('the handshake', () => {
  it('welcomes a node and gives it a session', async () => {
    const client = await ScriptedNode.client(transport);
    expect(client.heard).toEqual([
      expect.objectContaining({ type: 'welcome', protocol: 1, service: 'service' }),
    ]);
  });

  it('refuses a node that speaks no common protocol, and names both versions', async () => {
    const hello = {
      type: 'hello',
      protocols: [7],
      role: 'client',
      name: 'future',
      codec: 'test',
      serializers: [],
    };
    const node = await ScriptedNode.dial(transport, hello);
    expect(node.last('refused')['error']).toMatchObject({
      code: 'PROTOCOL_VERSION',
      message: expect.stringMatching(/7.*1/),
    });
    expect(node.closed).toBe(true);
  });

  it('closes a connection that says nothing', async () => {
    const connection = await transport.dial('inproc:service');
    const states: string[] = [];
    connection.state$.subscribe((state) => states.push(state));
    await clock.advance(10_000);
    expect(states).toEqual(['open', 'closed']);
  });

  it.each([
    ['no type', {}],
    ['a type that is no text', { type: 7 }],
    ['not hello', { type: 'v1.worker.draining' }],
    [
      'a role that is none',
      { type: 'hello', protocols: [1], role: 'king', name: 'x', codec: 'y', serializers: [] },
    ],
    [
      'a name too long',
      { type: 'hello', protocols: [1], role: 'client', name: 'x'.repeat(1e4), codec: '', serializers: [] },
    ],
  ])('refuses a connection that begins with %s', async (_, hello) => {
    const node = await ScriptedNode.dial(transport, hello);
    expect(node.last('refused')['error']).toMatchObject({ code: 'PROTOCOL_MALFORMED' });
    expect(node.closed).toBe(true);
  });
});

describe('placement', () => {
  it('gives a run to a worker that offers its routine', async () => {
    const other = await ScriptedNode.worker(transport, 'other', { routines: ['tname:test:other:1.0.0'] });
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    expect(worker.asked).toEqual(['run-1']);
    expect(other.asked).toEqual([]);
    expect(worker.last('v1.routine.request_start')).toMatchObject({ attempt: 1 });
  });

  it('spreads runs over the least loaded workers', async () => {
    const workers = [await ScriptedNode.worker(transport, 'a'), await ScriptedNode.worker(transport, 'b')];
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    await client.request('run-2');
    expect(workers.map((worker) => worker.asked)).toEqual([['run-1'], ['run-2']]);
  });

  it('keeps runs in order while every slot is taken', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    for (const runId of ['run-1', 'run-2', 'run-3']) await client.request(runId);
    expect(worker.asked).toEqual(['run-1']);
    await worker.complete(worker.last('v1.routine.request_start'));
    await worker.complete(worker.last('v1.routine.request_start'));
    expect(worker.asked).toEqual(['run-1', 'run-2', 'run-3']);
  });

  it('gives the slot of a run that hangs to the next', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    await client.request('parent');
    await client.request('child');
    expect(worker.asked).toEqual(['parent']);
    await worker.hang(worker.last('v1.routine.request_start'), true);
    expect(worker.asked).toEqual(['parent', 'child']);
  });

  it('sends short runs ahead of a free slot, and long ones not', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker', { inbox: 8 });
    const client = await ScriptedNode.client(transport);
    await client.request('first');
    await worker.complete(worker.last('v1.routine.request_start'), 0.5);
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await client.request(name);
    // As many as take 2 ms together.
    expect(worker.asked).toEqual(['first', 'a', 'b', 'c', 'd']);
  });

  it('sends no short run behind a long one', async () => {
    const routines = ['tname:test:short:1.0.0', 'tname:test:long:1.0.0'];
    const [short, long] = routines.map((routineId) => ({ routineId }));
    const first = await ScriptedNode.worker(transport, 'first', { routines, inbox: 8 });
    const client = await ScriptedNode.client(transport);
    await client.request('learnt', short);
    await first.complete(first.last('v1.routine.request_start'), 0.01);
    await client.request('long', long);
    const second = await ScriptedNode.worker(transport, 'second', { routines, inbox: 8 });
    for (const name of ['a', 'b', 'c']) await client.request(name, short);
    expect(first.asked).toEqual(['learnt', 'long']);
    expect(second.asked[0]).toBe('a');
  });

  it('places a run elsewhere when its worker is busy', async () => {
    const busy = await ScriptedNode.worker(transport, 'busy');
    const free = await ScriptedNode.worker(transport, 'free');
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    const first = busy.last('v1.routine.request_start');
    await busy.fail(first, { name: 'Error', message: 'busy' }, 'busy');
    expect(free.asked).toEqual(['run-1']);
    const second = free.last('v1.routine.request_start');
    expect(second['attempt']).toBe(2);
    expect(second['lease']).toBeGreaterThan(Number(first['lease']));
  });

  it('tells the requester that nobody offers the routine, and places it when somebody comes', async () => {
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    expect(client.last('v1.routine.waiting')).toMatchObject({ detail: 'no worker is connected' });
    const worker = await ScriptedNode.worker(transport, 'late');
    expect(worker.asked).toEqual(['run-1']);
  });

  it('leaves no timer when it closes while runs wait', async () => {
    const client = await ScriptedNode.client(transport);
    await client.request('run-1', { queueTimeoutMs: 60_000 });
    await service.close();
    expect(clock.pending).toBe(0);
  });

  it('fails a run that waited longer than its queueTimeoutMs, and says what was missing', async () => {
    await ScriptedNode.worker(transport, 'worker', { routines: ['tname:test:train:0.9.0'] });
    const client = await ScriptedNode.client(transport);
    await client.request('run-1', { queueTimeoutMs: 500 });
    await clock.advance(499);
    expect(client.all('v1.routine.failed')).toEqual([]);
    await clock.advance(1);
    expect(client.last('v1.routine.failed')['error']).toMatchObject({
      code: 'QUEUE_TIMEOUT',
      message: expect.stringContaining('tname:test:train:0.9.0'),
    });
    expect(service.runsInHand).toBe(0);
  });

  it('takes an id that leaves parts out for the one routine that fits', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker', {
      routines: ['tname:test:train:1.0.0', 'tname:test:test:1.0.0', 'tname:test:test:2.0.0'],
    });
    const client = await ScriptedNode.client(transport);
    await client.request('run-1', { routineId: 'tname:train' });
    expect(worker.last('v1.routine.request_start')['routineId']).toBe('tname:test:train:1.0.0');
    await client.request('run-2', { routineId: 'tname:test:test' });
    expect(client.last('v1.routine.failed')['error']).toMatchObject({ code: 'ROUTINE_VERSION_UNKNOWN' });
    await client.request('run-3', { routineId: 'tname:nothing' });
    expect(client.last('v1.routine.failed')['error']).toMatchObject({ code: 'ROUTINE_UNKNOWN' });
  });

  it('takes a record id for the routine that it was given to', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    const [record] = [...service.routines.keys()];
    expect(record).toMatch(/^tdb:[0-9a-f]{32}$/);
    await client.request('run-1', { routineId: record });
    expect(worker.last('v1.routine.request_start')['routineId']).toBe('tname:test:train:1.0.0');
  });

  it('tells when runs begin and cease to wait', async () => {
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    await ScriptedNode.worker(transport, 'worker');
    const waiting = events.flatMap((event) => (event.type === 'service.queue' ? [event.waiting] : []));
    expect(waiting).toEqual([1, 0]);
  });
});

describe('what comes back', () => {
  it('is passed on to the requester, and acknowledged to the worker once the requester has it', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    const request = worker.last('v1.routine.request_start');
    const { runId, attempt, lease } = request;
    await worker.say({ type: 'v1.routine.starting', runId, attempt, lease, worker: 'worker' });
    await worker.say({ type: 'v1.routine.progress', runId, attempt, lease, done: 1, total: 2 });
    await worker.complete(request);
    const types = client.heard.map((header) => header.type);
    expect(types).toEqual(['welcome', 'v1.routine.starting', 'v1.routine.progress', 'v1.routine.completed']);
    expect(client.bodies.at(-1)?.parts).toEqual([new Uint8Array([9])]);
    expect(service.runsInHand).toBe(0);
    expect(worker.all('v1.routine.ack')).toEqual([]);
    await client.acknowledge('run-1');
    expect(worker.last('v1.routine.ack')).toMatchObject({ runs: [{ runId: 'run-1', attempt, lease }] });
  });

  it('is not listened to without the current lease', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const thief = await ScriptedNode.worker(transport, 'thief');
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    const request = worker.last('v1.routine.request_start');
    await thief.complete(request);
    await worker.complete({ ...request, lease: 99 });
    expect(client.all('v1.routine.completed')).toEqual([]);
    await worker.complete(request);
    await worker.complete(request);
    expect(client.all('v1.routine.completed')).toHaveLength(1);
  });

  it('keeps the error of a failed run as it was', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    const error = {
      name: 'QuotaError',
      message: 'used up',
      code: 'QUOTA',
      stack: 'there',
      cause: { text: 'why' },
    };
    await worker.fail(worker.last('v1.routine.request_start'), error);
    expect(client.last('v1.routine.failed')['error']).toEqual(error);
  });
});

describe('a worker that is lost', () => {
  it('has its runs placed elsewhere when its connection closes', async () => {
    const first = await ScriptedNode.worker(transport, 'first');
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    const second = await ScriptedNode.worker(transport, 'second');
    await first.close();
    expect(second.last('v1.routine.request_start')).toMatchObject({ runId: 'run-1', attempt: 2 });
    expect(client.last('v1.routine.waiting')).toMatchObject({ attempt: 2, error: { code: 'WORKER_LOST' } });
  });

  it('gets no new runs while its pulse is overdue, and again when it comes back', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    await clock.advance(6_000);
    await client.request('run-1');
    expect(worker.asked).toEqual([]);
    await worker.say({ type: 'v1.heartbeat.give_pulse', status: 'IDLE' });
    expect(worker.asked).toEqual(['run-1']);
    const statuses = events.flatMap((event) => (event.type === 'worker.status' ? [event.status] : []));
    expect(statuses).toEqual(['UNRESPONSIVE', 'IDLE']);
  });

  it('is asked for its pulse every 2 s, and stays while it answers', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    for (let beat = 1; beat <= 10; beat += 1) {
      await clock.advance(2_000);
      expect(worker.all('v1.heartbeat.check_pulse')).toHaveLength(beat);
      await worker.say({ type: 'v1.heartbeat.give_pulse', status: 'IDLE' });
    }
    expect(worker.closed).toBe(false);
  });

  it('loses its runs when its lease ends, and what it says later changes nothing', async () => {
    const frozen = await ScriptedNode.worker(transport, 'frozen');
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    const request = frozen.last('v1.routine.request_start');
    await clock.advance(8_000);
    const healthy = await ScriptedNode.worker(transport, 'healthy');
    await clock.advance(2_000);
    expect(frozen.closed).toBe(true);
    expect(healthy.asked).toEqual(['run-1']);
    await expect(frozen.complete(request)).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
    await healthy.complete(healthy.last('v1.routine.request_start'));
    expect(client.all('v1.routine.completed')).toHaveLength(1);
  });

  it('poisons a run that brings down three workers', async () => {
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    for (const name of ['first', 'second', 'third']) {
      const worker = await ScriptedNode.worker(transport, name);
      expect(worker.asked).toEqual(['run-1']);
      await worker.start(worker.last('v1.routine.request_start'));
      await worker.close();
    }
    expect(client.last('v1.routine.failed')['error']).toMatchObject({ code: 'RUN_POISONED' });
    expect(service.runsInHand).toBe(0);
  });

  it('poisons a run that brings down as many workers as the service is told', async () => {
    await service.close();
    service = newService({ maxDeliveries: 5 });
    service.serve(await transport.listen('inproc:service'));
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    for (let lost = 0; lost < 5; lost += 1) {
      expect(client.all('v1.routine.failed')).toEqual([]);
      const worker = await ScriptedNode.worker(transport, `worker-${lost}`);
      await worker.start(worker.last('v1.routine.request_start'));
      await worker.close();
    }
    expect(client.last('v1.routine.failed')['error']).toMatchObject({ code: 'RUN_POISONED' });
  });

  it('does not count against a run that had not begun there', async () => {
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    for (const name of ['first', 'second', 'third', 'fourth']) {
      const worker = await ScriptedNode.worker(transport, name);
      await worker.close();
    }
    expect(client.all('v1.routine.failed')).toEqual([]);
  });

  it('counts against a run only when its worker says so, as long as the worker is there', async () => {
    const client = await ScriptedNode.client(transport);
    const worker = await ScriptedNode.worker(transport, 'worker');
    await client.request('run-1');
    const error = { name: 'Error', message: 'the thread is gone' };
    for (let time = 0; time < 4; time += 1) {
      await worker.start(worker.last('v1.routine.request_start'));
      await worker.fail(worker.last('v1.routine.request_start'), error, 'lost');
    }
    expect(client.all('v1.routine.failed')).toEqual([]);
    for (let time = 0; time < 3; time += 1) {
      await worker.fail(worker.last('v1.routine.request_start'), error, 'downfall');
    }
    expect(client.last('v1.routine.failed')['error']).toMatchObject({ code: 'RUN_POISONED' });
  });

  it('gives a run back to the head of its queue', async () => {
    const client = await ScriptedNode.client(transport);
    const first = await ScriptedNode.worker(transport, 'first');
    for (const runId of ['run-1', 'run-2', 'run-3']) await client.request(runId);
    await first.close();
    const second = await ScriptedNode.worker(transport, 'second');
    expect(second.asked).toEqual(['run-1']);
  });

  it('is not lost because this process itself was busy', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    clock.sleep(60_000);
    await clock.advance(0);
    expect(worker.closed).toBe(false);
    await clock.advance(2_000);
    expect(worker.closed).toBe(false);
    await clock.advance(20_000);
    expect(worker.closed).toBe(true);
  });

  it('does not count against a run that was hanging', async () => {
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    for (const name of ['first', 'second', 'third', 'fourth']) {
      const worker = await ScriptedNode.worker(transport, name);
      await worker.hang(worker.last('v1.routine.request_start'), true);
      await worker.close();
    }
    expect(client.all('v1.routine.failed')).toEqual([]);
  });
});

describe('cancelling', () => {
  const error = { name: 'Error', message: 'enough', code: 'RUN_CANCELLED' };

  it('takes a waiting run out of the queue', async () => {
    const client = await ScriptedNode.client(transport);
    await client.request('run-1', { queueTimeoutMs: 5_000 });
    await client.cancel('run-1');
    expect(client.last('v1.routine.failed')).toMatchObject({ cancelled: true, error });
    expect(service.runsInHand).toBe(0);
  });

  it('reaches the worker that holds the run', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    await client.cancel('run-1');
    expect(worker.last('v1.routine.cancel')).toMatchObject({
      runId: 'run-1',
      lease: worker.last('v1.routine.request_start')['lease'],
      error,
    });
  });

  it('keeps a run from being placed again, whatever becomes of its worker', async () => {
    const lost = await ScriptedNode.worker(transport, 'lost');
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    await client.cancel('run-1');
    const other = await ScriptedNode.worker(transport, 'other');
    await lost.close();
    expect(other.asked).toEqual([]);
    expect(client.last('v1.routine.failed')).toMatchObject({ runId: 'run-1', cancelled: true });

    const gone = await ScriptedNode.client(transport, 'gone');
    await gone.request('run-2');
    await gone.close();
    await other.fail(other.last('v1.routine.request_start'), error, 'busy');
    expect(other.asked).toEqual(['run-2']);
    expect(service.runsInHand).toBe(0);
  });

  it('is for the requester alone', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    const stranger = await ScriptedNode.client(transport, 'stranger');
    await client.request('run-1');
    await stranger.cancel('run-1');
    expect(worker.all('v1.routine.cancel')).toEqual([]);
  });

  it('happens to every run of a requester that goes away', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    await client.request('run-2');
    await client.close();
    expect(worker.last('v1.routine.cancel')).toMatchObject({ runId: 'run-1' });
    await worker.fail(worker.last('v1.routine.request_start'), error);
    expect(service.runsInHand).toBe(0);
  });
});

describe('a run of a node that goes away', () => {
  it('goes on when it answers the end of another', async () => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    await client.request('handler', { triggeredBy: 'run-1', triggerDepth: 1 });
    await client.request('waits', { triggeredBy: 'run-2', triggerDepth: 1 });
    await client.close();
    expect(worker.all('v1.routine.cancel')).toEqual([]);
    const idle = service.whenIdle(60_000).then(() => 'idle');
    await worker.complete(worker.last('v1.routine.request_start'));
    expect(worker.asked).toEqual(['handler', 'waits']);
    expect(await Promise.race([idle, settle().then(() => 'busy')])).toBe('busy');
    await worker.complete(worker.last('v1.routine.request_start'));
    expect(await idle).toBe('idle');
    expect(service.runsInHand).toBe(0);
  });

  it('is waited for no longer than asked', async () => {
    await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    await client.request('handler', { triggeredBy: 'run-1', triggerDepth: 1 });
    const idle = service.whenIdle(60_000);
    await clock.advance(60_000);
    await idle;
    expect(service.runsInHand).toBe(1);
  });

  it.each([
    ['triggeredBy', 7],
    ['triggeredBy', 'x'.repeat(65)],
    ['triggerDepth', -1],
    ['triggerDepth', 1_001],
  ])('is refused with the %s %s', async (field, value) => {
    const client = await ScriptedNode.client(transport);
    await client.request('run-1', { [field]: value });
    expect(client.closed).toBe(true);
  });
});

describe('a node that does not keep to the protocol', () => {
  it.each([
    ['skips a number', { type: 'v1.worker.draining', sequence: 7 }],
    ['speaks for another session', { type: 'v1.worker.draining', session: 'another' }],
    ['sends an unknown type', { type: 'v9.unknown' }],
    ['sends what only the service sends', { type: 'v1.heartbeat.check_pulse' }],
    ['leaves a field out', { type: 'v1.routine.cancel', runId: 'run-1' }],
    ['sends a field of the wrong kind', { type: 'v1.heartbeat.give_pulse', status: { toString: 'IDLE' } }],
    [
      'registers as a worker after it greeted as a client',
      { type: 'v1.worker.ready', routines: [], slots: 1, inbox: 0 },
    ],
  ])('%s: its connection closes, others go on', async (_, directive) => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    const rogue = await ScriptedNode.client(transport, 'rogue');
    await rogue.say(directive);
    expect(rogue.closed).toBe(true);
    expect(logged.join('\n')).toContain('rogue');
    await client.request('run-1');
    expect(worker.asked).toEqual(['run-1']);
  });

  it.each([
    ['a request', { type: 'v1.routine.request_start', routineId: 'tname:test:train:1.0.0', rootRunId: 'r' }],
    ['a result', { type: 'v1.routine.completed', durationMs: 1 }],
  ])('sends %s without its body: only its own connection closes', async (_, directive) => {
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    const rogue = await ScriptedNode.client(transport, 'rogue');
    await rogue.say({ ...directive, runId: 'x', attempt: 1, lease: 0 });
    expect(rogue.closed).toBe(true);
    await client.request('run-1');
    expect(worker.asked).toEqual(['run-1']);
  });

  it('greets and hangs up at once: nothing else happens', async () => {
    const connection = await transport.dial('inproc:service');
    connection.send({
      header: { type: 'hello', protocols: [1], role: 'client', name: 'x', codec: 'y', serializers: [] },
    });
    await connection.close();
    const another = await transport.dial('inproc:service');
    another.send({ header: { type: 'nonsense' } });
    await another.close();
    await settle();
    const worker = await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    await client.request('run-1');
    expect(worker.asked).toEqual(['run-1']);
  });

  it('has a directive that comes twice handled once', async () => {
    const client = await ScriptedNode.client(transport);
    const worker = await ScriptedNode.worker(transport, 'worker');
    await client.request('run-1');
    await client.sendRaw({ type: 'v1.worker.draining', session: client.session, sequence: 1 });
    expect(client.closed).toBe(false);
    expect(worker.asked).toEqual(['run-1']);
  });

  it('may not ask for a run that another node asked for', async () => {
    await ScriptedNode.worker(transport, 'worker');
    const client = await ScriptedNode.client(transport);
    const stranger = await ScriptedNode.client(transport, 'stranger');
    await client.request('run-1');
    await stranger.request('run-1');
    expect(stranger.last('v1.routine.failed')['error']).toMatchObject({ code: 'PROTOCOL_MALFORMED' });
    await settle();
    expect(service.runsInHand).toBe(1);
  });
});

describe('a service that closes', () => {
  it('leaves no timer of a run that came just before', async () => {
    const client = await ScriptedNode.client(transport);
    const requested = client.request('run-1', { queueTimeoutMs: 60_000 });
    await service.close();
    await requested;
    expect(clock.pending).toBe(0);
  });
});

describe('leases', () => {
  it('grow from one start of the service to the next', async () => {
    const leases: number[] = [];
    for (let start = 1; start <= 3; start += 1) {
      const worker = await ScriptedNode.worker(transport, 'worker', { slots: 100 });
      const client = await ScriptedNode.client(transport);
      for (let run = 1; run <= 10; run += 1) await client.request(`run-${start}-${run}`);
      leases.push(...worker.all('v1.routine.request_start').map(({ lease }) => Number(lease)));
      await service.close();
      clock.sleep(1);
      service = newService();
      service.serve(await transport.listen('inproc:service'));
    }
    expect(leases).toHaveLength(30);
    expect(leases).toEqual(leases.toSorted((a, b) => a - b));
    expect(new Set(leases).size).toBe(30);
  });
});
