import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bodyOf, type Body } from '../../src/model/body.js';
import { LIMITS } from '../../src/model/limits.js';
import type { DirectiveHeader } from '../../src/ports/transport.js';
import type { BlobPart } from '../../src/model/stored-blob.js';
import { packHeader } from '../../src/protocol/header-bytes.js';
import { LargeBody } from '../support/large-body.js';
import { UnreadBody } from '../support/unread-body.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { MiB, small } from '../support/relayed.js';
import type { ScriptedPeer } from '../support/scripted-peer.js';

let cluster: PipedCluster;
let worker: ScriptedPeer;
let client: ScriptedPeer;
beforeEach(async () => {
  cluster = await PipedCluster.start();
  worker = await cluster.worker('worker', { store: 'shared:x' });
  client = await cluster.client();
});
afterEach(async () => {
  await cluster.close();
  expect(cluster.turns.pendingTimers, 'timers left after close').toBe(0);
});

/** Its record id is much shorter. */
const LONG = `tname:test:${'l'.repeat(100)}:1.0.0`;
const LONG_RECORD = `tdb:${createHash('sha256').update(LONG).digest('hex').slice(0, 32)}`;

function manyBlobs(count: number): BlobPart[] {
  const digest = 'a'.repeat(64);
  return Array.from({ length: count }, (_, part) => ({ part, digest, byteLength: MiB }));
}

/**
 * Asks for a run by a directive that is as long as may be: the service has to pass it on with the full id of the routine,
 * which is longer.
 */
async function requestLongest(runId: string): Promise<void> {
  const blobs = manyBlobs(10_000);
  const buffers = Array.from({ length: blobs.length - 1 }, () => new Uint8Array(0));
  const outline: string[] = [];
  const extra = { store: 'shared:x', blobs, routineId: LONG_RECORD, remember: { outline } };
  const header = { type: 'v1.routine.request_start', session: 'id-1', sequence: 1, runId, rootRunId: runId };
  const missing = (): number =>
    LIMITS.controlFrameBytes - packHeader({ ...header, ...extra, attempt: 1, lease: 0 }).byteLength - 10_010;
  while (missing() > 1_000) outline.push('o'.repeat(500));
  for (let left = missing(); left > 50; left = missing()) outline.push('o'.repeat(Math.min(left - 10, 490)));
  await client.request(runId, bodyOf({ head: new Uint8Array(0), buffers }), extra);
}

/** A result whose directive is as long as may be. */
function longestResult(run: DirectiveHeader): { readonly body: Body; readonly fields: DirectiveHeader } {
  const result = { type: 'v1.routine.completed', durationMs: 1_000, ...run };
  const sizeOf = (count: number, padding: number): number => {
    const fields = { store: 'shared:x', blobs: manyBlobs(count), rememberedIn: 'p'.repeat(padding) };
    const head = packHeader({ ...result, ...fields }).byteLength;
    return head + 5 + count;
  };
  const rate = (sizeOf(2_000, 300) - sizeOf(1_000, 300)) / 1_000;
  const count = Math.floor((LIMITS.controlFrameBytes - sizeOf(1_000, 300)) / rate) + 990;
  const padding = 300 + LIMITS.controlFrameBytes - sizeOf(count, 300);
  const buffers = Array.from({ length: count - 1 }, () => new Uint8Array(0));
  const fields = { store: 'shared:x', blobs: manyBlobs(count), rememberedIn: 'p'.repeat(padding) };
  return { body: bodyOf({ head: new Uint8Array(0), buffers }), fields };
}

describe('a directive that can not be passed on', () => {
  it('fails the run that it is of, and its worker keeps its slot', async () => {
    const long = await cluster.worker('long', { store: 'shared:x', routines: [LONG] });
    await requestLongest('run-1');
    expect(client.last('v1.routine.failed')).toMatchObject({
      runId: 'run-1',
      error: { code: 'PROTOCOL_MALFORMED', message: expect.stringContaining('at most 1048576 can be sent') },
    });
    await client.request('run-2', small, { routineId: LONG });
    expect(long.asked).toEqual(['run-2']);
    expect(cluster.service.runsInHand).toBe(1);
  });

  it('gives its slot to a run that waits', async () => {
    const long = await cluster.worker('long', { store: 'shared:x', routines: [LONG] });
    await client.request('run-0', small, { routineId: LONG });
    await requestLongest('run-1');
    await client.request('run-2', small, { routineId: LONG });
    await long.complete(long.lastRequest);
    expect(client.last('v1.routine.failed')).toMatchObject({ runId: 'run-1' });
    expect(long.asked).toEqual(['run-0', 'run-2']);
  });

  it('is told in place of a result that its requester can not be sent', async () => {
    const second = await cluster.worker('second', { store: 'shared:x' });
    await client.request('run-1', small);
    await client.request('run-2', small);
    // What comes next for the requester has a higher number, which takes more bytes, than what its worker said.
    for (let done = 0; done < 300; done += 1)
      await worker.tell('v1.routine.progress', worker.lastRequest, { done });
    const { runId, attempt, lease } = second.lastRequest;
    const { body, fields } = longestResult({ runId, attempt, lease, session: 'id-2', sequence: 2 });
    await second.complete(second.lastRequest, body, fields);
    expect(client.last('v1.routine.failed')).toMatchObject({ runId, error: { code: 'PROTOCOL_MALFORMED' } });
    await client.acknowledge(String(runId));
    expect(second.acknowledged).toEqual([runId]);
    expect(cluster.service.runsInHand).toBe(1);
  });
});

describe('a node that greets', () => {
  it('with a body is let in, and the body given up', async () => {
    const connection = await cluster.transport.dial('piped:service');
    connection.inbound$.subscribe();
    const body = new UnreadBody();
    const hello = {
      type: 'hello',
      protocols: [1],
      role: 'client',
      name: 'x',
      codec: 'test',
      serializers: [],
    };
    connection.send({ header: hello, body });
    await cluster.turns.settle();
    expect(body.isGivenUp).toBe(true);
  });
});

describe('a result', () => {
  const named = {
    key: 'b'.repeat(64),
    store: 'shared:x',
    routineId: 'tname:test:train:1.0.0',
    byteLength: 7,
    node: 'AQID',
  };

  it('that is both named and in a body closes the connection of its worker, and its run goes elsewhere', async () => {
    const requester = await cluster.requester();
    const { outcome } = requester.dispatch('run-1', { head: new Uint8Array([1]), buffers: [] });
    await cluster.turns.settle();
    const body = new LargeBody(8 * MiB);
    await worker.complete(worker.lastRequest, body, { reference: named });
    expect(body.isGivenUp).toBe(true);
    expect(worker.isClosed).toBe(true);
    const second = await cluster.worker('second');
    await second.complete(second.lastRequest);
    expect(await cluster.turns.until(outcome)).toMatchObject({ status: 'DONE' });
  });
});
