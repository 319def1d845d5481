import { beforeEach, describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { Cancellation } from '../../src/context/cancellation.js';
import { Contents } from '../../src/cache/contents.js';
import { Dispatcher } from '../../src/dispatch/dispatcher.js';
import { ServiceLink } from '../../src/dispatch/service-link.js';
import type { EngineEvent } from '../../src/events/engine-event.js';
import { EventFeed } from '../../src/events/event-feed.js';
import { systemClock } from '../../src/lifecycle/platform/system-clock.js';
import { bodyOf, type Body } from '../../src/model/body.js';
import type { Outcome } from '../../src/model/outcome.js';
import type { Transport } from '../../src/ports/transport.js';
import { ScriptedConnection } from '../support/scripted-connection.js';
import { memorySpool, sharedStore } from '../support/shared-store.js';
import { UnreadBody } from '../support/unread-body.js';

let connection: ScriptedConnection;
let link: ServiceLink;
let cancellation: Cancellation;
let outcome: Promise<Outcome>;
let sequence: number;

beforeEach(async () => {
  connection = new ScriptedConnection();
  cancellation = new Cancellation();
  sequence = 0;
  const feed = new EventFeed<EngineEvent>();
  const transport = { dial: () => Promise.resolve(connection), capabilities: { sharesMemory: true } };
  link = new ServiceLink({
    ...{ transport: transport as unknown as Transport, address: 'scripted:service', role: 'client' },
    ...{
      node: 'client',
      feed,
      clock: systemClock,
      codec: new MsgpackrCodec(),
      logger: { log: () => undefined },
    },
  });
  const store = sharedStore('x', systemClock);
  const contents = new Contents({ store, spool: memorySpool(), clock: systemClock, feed, node: 'client' });
  const dispatcher = new Dispatcher(link, contents);
  const opened = link.open();
  await Promise.resolve();
  await Promise.resolve();
  connection.inbound$.next({ header: { type: 'welcome', protocol: 1, session: 's', service: 'service' } });
  await opened;
  const nothing = (): void => undefined;
  const observer = {
    waiting: nothing,
    retrying: nothing,
    starting: nothing,
    progress: nothing,
    log: nothing,
  };
  const call = { runId: 'run-1', rootRunId: 'run-1', routineId: 'tname:t:t:1.0.0', attempt: 1 };
  const args = { head: new Uint8Array([1]), buffers: [new Uint8Array(1_000_000)] };
  outcome = dispatcher.dispatch({ ...call, arguments: args }, observer, cancellation);
});

function completed(runId: string, body: Body): void {
  sequence += 1;
  const run = { runId, attempt: 1, lease: 0, durationMs: 1, session: 's', sequence };
  connection.inbound$.next({ header: { type: 'v1.routine.completed', ...run }, body });
}

describe('a call that was dispatched', () => {
  it('goes over by reference where nodes share memory, however large it is', () => {
    const { header, body } = connection.sent.at(-1) ?? {};
    expect(header).toMatchObject({ type: 'v1.routine.request_start', store: undefined, blobs: undefined });
    expect(body?.value?.buffers[0]?.byteLength).toBe(1_000_000);
  });

  it('gives up the bytes of its result when it is cancelled', async () => {
    const body = new UnreadBody();
    completed('run-1', body);
    cancellation.cancel(new Error('enough'));
    expect((await outcome).status).toBe('CANCELLED');
    expect(body.isGivenUp).toBe(true);
  });

  it('gives up the bytes of its result when the connection is lost', async () => {
    const body = new UnreadBody();
    completed('run-1', body);
    await connection.close();
    expect(await outcome).toMatchObject({ status: 'FAILED', error: { code: 'TRANSPORT_CLOSED' } });
    expect(body.isGivenUp).toBe(true);
  });

  it('takes a later result in place of one that does not come to its end', async () => {
    const body = new UnreadBody();
    completed('run-1', body);
    completed('run-1', bodyOf({ head: new Uint8Array([7]), buffers: [] }));
    expect(await outcome).toMatchObject({ status: 'DONE', value: { head: new Uint8Array([7]) } });
    expect(body.isGivenUp).toBe(true);
  });
});

it('the result of a run that nobody waits for is given up', () => {
  const body = new UnreadBody();
  completed('run-2', body);
  expect(body.isGivenUp).toBe(true);
});
