import { everythingRemote, executionPolicy, Lifecycle, type PlainError } from '@routine-engine/core';
import { EventFeed, type DirectiveHeader } from '@routine-engine/core/adapter';
import { Service, type ServiceParts } from '@routine-engine/core/host';
import { embeddedCluster, InprocTransport, inprocTransport } from '@routine-engine/transport-inproc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Celsius, echo, warmer } from './fixtures/routines.ts';
import { ScriptedNode } from './fixtures/scripted-node.ts';
import { VirtualClock } from './fixtures/virtual-clock.ts';

let transport: InprocTransport;
let service: Service;

async function serve(more: Partial<ServiceParts> = {}): Promise<void> {
  let made = 0;
  const ids = { next: () => `id-${(made += 1)}` };
  const logger = { log: () => undefined };
  service = new Service({
    name: 'service',
    clock: new VirtualClock(),
    ids,
    logger,
    feed: new EventFeed(),
    ...more,
  });
  service.serve(await transport.listen('inproc:service'));
}

beforeEach(() => {
  transport = new InprocTransport();
});
afterEach(() => service.close());

const greet = (name: string, more: object = {}): Promise<ScriptedNode> =>
  ScriptedNode.dial(transport, {
    ...{ type: 'hello', protocols: [1], role: 'worker', name, codec: 'msgpackr-1', serializers: [], ...more },
  });
const routineId = 'tname:test:train:1.0.0';
const ready = { type: 'v1.worker.ready', routines: [{ routineId }], slots: 1, inbox: 0 };

describe('nodes of several versions', () => {
  it('understand each other by the protocol that they share, whatever package they run', async () => {
    await serve();
    const old = await greet('old', { core: '0.0.1', protocols: [1] });
    const next = await greet('next', { core: '9.0.0', protocols: [9, 1] });
    for (const node of [old, next])
      expect(node.last('welcome')).toMatchObject({
        protocol: 1,
        core: expect.stringMatching(/^\d+\.\d+\.\d+/),
      });
    for (const node of [old, next]) await node.say(ready);
    const client = await ScriptedNode.client(transport);
    for (const runId of ['run-1', 'run-2']) await client.request(runId);
    expect([old.asked, next.asked]).toEqual([['run-1'], ['run-2']]);
  });

  it('are refused when no protocol is shared, with the versions of both', async () => {
    await serve();
    const node = await greet('future', { core: '9.0.0', protocols: [9, 8] });
    const { error } = node.last('refused') as unknown as { error: PlainError };
    expect(error.code).toBe('PROTOCOL_VERSION');
    expect(error.message).toBe('future speaks protocol 9, 8, the service 1');
  });
});

describe('nodes of several codecs', () => {
  const refusalOf = (node: ScriptedNode): unknown => node.last('refused')['error'];

  it('are refused but those of the first, with both codecs named', async () => {
    await serve();
    await greet('first', { codec: 'one-1' });
    const other = await greet('other', { codec: 'two-1' });
    expect(refusalOf(other)).toMatchObject({
      code: 'CODEC_MISMATCH',
      message: 'other has the codec two-1, and the nodes of this service have one-1, such as first',
    });
    expect(other.closed).toBe(true);
  });

  it('may follow one another, once none of the old ones is left', async () => {
    await serve();
    const first = await greet('first', { codec: 'one-1' });
    await first.close();
    const other = await greet('other', { codec: 'two-1' });
    expect(other.last('welcome')).toMatchObject({ protocol: 1 });
  });

  it('are refused but those that the service was told of', async () => {
    await serve({ codec: 'two-1' });
    const first = await greet('first', { codec: 'one-1' });
    expect(refusalOf(first)).toMatchObject({
      code: 'CODEC_MISMATCH',
      message: 'first has the codec one-1, and the nodes of this service have two-1, as the service was told',
    });
    const other = await greet('other', { codec: 'two-1' });
    expect(other.last('welcome')).toMatchObject({ protocol: 1 });
  });

  it('are refused at init, too', async () => {
    await serve();
    await greet('first', { codec: 'one-1' });
    const connected = inprocTransport({ transport, address: 'inproc:service' });
    await expect(Lifecycle.init({ project: 'test', plugins: [connected] })).rejects.toMatchObject({
      code: 'CODEC_MISMATCH',
      message: expect.stringContaining('msgpackr-1'),
    });
  });
});

describe('a call whose arguments take a serializer', () => {
  const needing = (...serializers: string[]): DirectiveHeader => ({ serializers });

  it('goes to a worker that has it, however many others are free', async () => {
    await serve();
    const without = await greet('without');
    await without.say(ready);
    // What its threads can read counts, and not what it greeted with.
    const having = await greet('having', { serializers: [] });
    await having.say({ ...ready, serializers: ['a', 'b'] });
    const client = await ScriptedNode.client(transport);
    await client.request('run-1', needing('a'));
    await client.request('run-2', needing('a', 'b'));
    await client.request('run-3');
    expect([without.asked, having.asked]).toEqual([['run-3'], ['run-1']]);
    await having.complete(having.last('v1.routine.request_start'));
    expect(having.asked).toEqual(['run-1', 'run-2']);
  });

  it('goes by the greeting of a worker that says no more', async () => {
    await serve();
    const having = await greet('having', { serializers: ['a'] });
    await having.say(ready);
    const client = await ScriptedNode.client(transport);
    await client.request('run-1', needing('a'));
    expect(having.asked).toEqual(['run-1']);
  });

  it('fails when no worker that offers the routine has it, and names it', async () => {
    await serve();
    const worker = await greet('worker');
    await worker.say({ ...ready, serializers: ['a'] });
    const client = await ScriptedNode.client(transport);
    await client.request('run-1', needing('a', 'b'));
    expect(client.last('v1.routine.failed')['error']).toMatchObject({
      code: 'SERIALIZER_UNKNOWN',
      message: expect.stringMatching(/^No worker that offers tname:test:train:1\.0\.0 .*"b"\./),
    });
    expect(service.runsInHand).toBe(0);
  });

  it('waits while no worker offers the routine at all', async () => {
    await serve();
    const client = await ScriptedNode.client(transport);
    await client.request('run-1', needing('a'));
    expect(client.last('v1.routine.waiting')).toMatchObject({ detail: 'no worker is connected' });
    const worker = await greet('worker');
    await worker.say({ ...ready, serializers: ['a'] });
    expect(worker.asked).toEqual(['run-1']);
  });

  it.each([['x'.repeat(201)], [7]])('is refused with the key %s', async (key) => {
    await serve();
    const client = await ScriptedNode.client(transport);
    await client.request('run-1', { serializers: [key] });
    expect(client.closed).toBe(true);
  });
});

describe('on real threads', () => {
  beforeEach(() => serve());
  const without = new URL('./fixtures/without-serializer.ts', import.meta.url);
  const routines = new URL('./fixtures/routines.ts', import.meta.url);
  const openWith = (module: URL): Promise<Lifecycle> =>
    Lifecycle.init({
      project: 'test',
      plugins: [embeddedCluster({ workers: 1, modules: [module] }), executionPolicy(everythingRemote)],
    });

  it('a value is carried by a serializer that its module defines', async () => {
    await using _ = await openWith(routines);
    expect((await warmer(new Celsius(20))).degrees).toBe(21);
  });

  it('a call is refused when the threads lack the serializer, and others go on', async () => {
    await using _ = await openWith(without);
    await expect(warmer(new Celsius(20))).rejects.toMatchObject({
      code: 'SERIALIZER_UNKNOWN',
      message: expect.stringContaining('"test/Celsius"'),
    });
    expect(await echo('as it was')).toBe('as it was');
  });
});
