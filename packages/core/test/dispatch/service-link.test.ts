import { beforeEach, describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { ServiceLink } from '../../src/dispatch/service-link.js';
import type { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { EngineEvent } from '../../src/events/engine-event.js';
import { EventFeed } from '../../src/events/event-feed.js';
import { systemClock } from '../../src/lifecycle/platform/system-clock.js';
import type { Transport } from '../../src/ports/transport.js';
import { ScriptedConnection } from '../support/scripted-connection.js';

let connection: ScriptedConnection;
let link: ServiceLink;
let events: string[];
let logged: string[];

beforeEach(() => {
  connection = new ScriptedConnection();
  const feed = new EventFeed<EngineEvent>();
  events = [];
  logged = [];
  feed.events$.subscribe((event) => events.push(event.type));
  const transport = { dial: () => Promise.resolve(connection) } as unknown as Transport;
  link = new ServiceLink({
    ...{ transport, address: 'scripted:service', role: 'client', node: 'client', feed, clock: systemClock },
    codec: new MsgpackrCodec(),
    logger: { log: (_level, message) => void logged.push(message) },
  });
});

const welcome = { type: 'welcome', protocol: 1, session: 's', service: 'service' };
const opening = async (): Promise<{ opened: Promise<string> }> => {
  const opened = link.open().then(
    () => 'open',
    (error: RoutineEngineError) => error.code,
  );
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  return { opened };
};
const open = async (): Promise<void> => {
  const { opened } = await opening();
  connection.inbound$.next({ header: welcome });
  expect(await opened).toBe('open');
};

describe('a link to the service', () => {
  it('says hello, and is open when it is welcome', async () => {
    await open();
    expect(connection.sent[0]?.header).toMatchObject({
      type: 'hello',
      protocols: [1],
      role: 'client',
      name: 'client',
    });
    expect(events).toEqual(['transport.connecting', 'transport.connected']);
  });

  it('fails with why the service refused', async () => {
    const { opened } = await opening();
    const error = { name: 'RoutineEngineError', code: 'PROTOCOL_VERSION', message: 'no' };
    connection.inbound$.next({ header: { type: 'refused', error } });
    expect(await opened).toBe('PROTOCOL_VERSION');
    expect(connection.closed).toBe(true);
  });

  it('fails when the service hangs up before it answers', async () => {
    const { opened } = await opening();
    await connection.close();
    expect(await opened).toBe('TRANSPORT_CLOSED');
  });

  it('leaves nothing open when it is closed while it opens', async () => {
    const { opened } = await opening();
    await link.close();
    expect(await opened).toBe('TRANSPORT_CLOSED');
    expect(connection.closed).toBe(true);
  });

  it('closes when the service sends what cannot be read', async () => {
    await open();
    connection.inbound$.next({ header: { type: 'nonsense', session: 's', sequence: 1 } });
    expect(connection.closed).toBe(true);
  });

  it('stays open when this node fails to handle a directive', async () => {
    link.on('v1.log', () => {
      throw new Error('a fault of ours');
    });
    await open();
    const header = {
      type: 'v1.log',
      runId: 'r',
      attempt: 1,
      lease: 0,
      level: 'info',
      message: 'hm',
      session: 's',
      sequence: 1,
    };
    connection.inbound$.next({ header });
    expect(connection.closed).toBe(false);
    expect(logged).toEqual(['v1.log could not be handled']);
  });

  it('tells a loss once, and a closing as a closing', async () => {
    const losses: Error[] = [];
    link.onLost((error) => losses.push(error));
    await open();
    await connection.close();
    await link.close();
    expect(losses).toHaveLength(1);
    expect(events.at(-1)).toBe('transport.lost');
    expect(() => link.send({ type: 'v1.worker.draining' })).toThrow(
      expect.objectContaining({ code: 'TRANSPORT_CLOSED' }),
    );
  });
});
