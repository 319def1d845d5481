import { beforeEach, describe, expect, it } from 'vitest';
import { redialDelayMs } from '../../src/dispatch/redial.js';
import { ServiceInquiry } from '../../src/dispatch/service-inquiry.js';
import { ServiceLink } from '../../src/dispatch/service-link.js';
import type { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import { LIMITS } from '../../src/model/limits.js';
import { ScriptedService } from '../support/scripted-service.js';

let service: ScriptedService;
let link: ServiceLink;

beforeEach(() => {
  service = new ScriptedService();
  link = new ServiceLink({ ...service.parts(), reconnectForMs: 20_000 });
});

const opening = async (): Promise<{ opened: Promise<string> }> => {
  const opened = link.open().then(
    () => 'open',
    (error: RoutineEngineError) => error.code,
  );
  await service.turns.settle();
  return { opened };
};
const open = async (): Promise<void> => {
  const { opened } = await opening();
  await service.welcome();
  expect(await opened).toBe('open');
};
/** Loses the connection, and waits until the link has dialled again. */
const loseAndDial = async (): Promise<void> => {
  await service.connection.close();
  await service.turns.settle();
  await service.turns.advance(LIMITS.redialMostMs);
};

describe('a link to the service', () => {
  it('says hello, and is open when it is welcome', async () => {
    await open();
    expect(service.heard[0]).toEqual({
      ...{ type: 'hello', protocols: [1], role: 'client', name: 'client' },
      ...{ codec: 'msgpackr-1', serializers: [], core: expect.stringMatching(/^\d+\.\d+\.\d+/) },
    });
    expect(service.events).toEqual(['transport.connecting', 'transport.connected']);
  });

  it('fails with why the service refused', async () => {
    const { opened } = await opening();
    const error = { name: 'RoutineEngineError', code: 'PROTOCOL_VERSION', message: 'no' };
    service.connection.inbound$.next({ header: { type: 'refused', error } });
    expect(await opened).toBe('PROTOCOL_VERSION');
    expect(service.connection.closed).toBe(true);
    expect(service.turns.pendingTimers).toBe(0);
  });

  it('fails when the service hangs up before it answers', async () => {
    const { opened } = await opening();
    await service.connection.close();
    expect(await opened).toBe('TRANSPORT_CLOSED');
  });

  it('fails when the service can not be reached at first, and does not dial again', async () => {
    service.isReachable = false;
    const { opened } = await opening();
    expect(await opened).toBe('TRANSPORT_UNREACHABLE');
    expect(service.turns.pendingTimers).toBe(0);
  });

  it('fails when no answer to its greeting comes', async () => {
    const { opened } = await opening();
    await service.turns.advance(LIMITS.handshakeMs);
    expect(await opened).toBe('TRANSPORT_CLOSED');
    expect(service.connection.closed).toBe(true);
  });

  it('leaves nothing open when it is closed while it opens', async () => {
    const { opened } = await opening();
    await link.close();
    expect(await opened).toBe('TRANSPORT_CLOSED');
    expect(service.connection.closed).toBe(true);
    expect(service.turns.pendingTimers).toBe(0);
  });

  it('closes its connection when the service sends what cannot be read', async () => {
    await open();
    await service.say({ type: 'nonsense' });
    expect(service.connection.closed).toBe(true);
  });

  it('stays open when this node fails to handle a directive', async () => {
    link.on('v1.log', () => {
      throw new Error('a fault of ours');
    });
    await open();
    const run = { runId: 'r', attempt: 1, lease: 0 };
    await service.say({ type: 'v1.log', ...run, level: 'info', message: 'hm' });
    expect(service.connection.closed).toBe(false);
    expect(service.logged).toEqual(['v1.log could not be handled']);
  });

  it('gives its pulse when it is asked', async () => {
    await open();
    await service.beat();
    expect(service.heard.at(-1)).toMatchObject({ type: 'v1.heartbeat.give_pulse', status: 'IDLE' });
  });

  it('says that it leaves when it is closed, and tells a closing as a closing', async () => {
    const losses: Error[] = [];
    link.onLost((error) => losses.push(error));
    await open();
    await link.close();
    await link.close();
    expect(service.heard.at(-1)).toMatchObject({ type: 'v1.node.leaving' });
    expect(losses).toHaveLength(1);
    expect(service.events.at(-1)).toBe('transport.closed');
    expect(() => link.send({ type: 'v1.worker.draining' })).toThrow(
      expect.objectContaining({ code: 'TRANSPORT_CLOSED' }),
    );
    expect(service.turns.pendingTimers).toBe(0);
  });
});

describe('a link whose connection is lost', () => {
  it('dials again, and goes on with the session that it had', async () => {
    const greeted: unknown[] = [];
    link.onGreeted((how) => greeted.push(how));
    await open();
    await loseAndDial();
    expect(service.heard[0]).toMatchObject({ type: 'hello', resume: 'session-1' });
    await service.welcome({ resumed: true });
    expect(greeted).toEqual([
      { isFirst: true, resumed: false },
      { isFirst: false, resumed: true },
    ]);
    await loseAndDial();
    expect(service.heard[0]).toMatchObject({ resume: 'session-2' });
    expect(service.events).toEqual([
      ...['transport.connecting', 'transport.connected', 'transport.lost'],
      ...['transport.connecting', 'transport.connected', 'transport.resynced', 'transport.lost'],
      'transport.connecting',
    ]);
  });

  it('keeps the session that it had when the next greeting is not answered', async () => {
    await open();
    await loseAndDial();
    await loseAndDial();
    expect(service.connections).toHaveLength(3);
    expect(service.heard[0]).toMatchObject({ resume: 'session-1' });
  });

  it('waits longer after each failure, and is patient again once the service asked for a pulse', async () => {
    await open();
    await service.connection.close();
    service.isReachable = false;
    const delays: number[] = [];
    for (let dials = 0; dials < 4; dials += 1) {
      let waitedMs = 0;
      for (const before = service.failed; service.failed === before; waitedMs += 25)
        await service.turns.advance(25);
      delays.push(waitedMs);
    }
    expect(delays).toEqual([50, 100, 200, 400]);
    service.isReachable = true;
    await service.turns.advance(LIMITS.redialMostMs);
    await service.welcome();
    await service.beat();
    await service.connection.close();
    await service.turns.advance(50);
    expect(service.connections).toHaveLength(3);
  });

  it('is lost when it could not be opened again for so long, and says why', async () => {
    const losses: Error[] = [];
    link.onLost((error) => losses.push(error));
    await open();
    service.isReachable = false;
    await service.connection.close();
    for (let passed = 0; passed < 19_000; passed += 500) await service.turns.advance(500);
    expect(losses).toEqual([]);
    expect(link.goesOn).toBe(true);
    for (let passed = 0; passed < 5_000; passed += 500) await service.turns.advance(500);
    expect(losses).toMatchObject([{ code: 'TRANSPORT_CLOSED', cause: { code: 'TRANSPORT_UNREACHABLE' } }]);
    expect(link.goesOn).toBe(false);
    expect(service.turns.pendingTimers).toBe(0);
  });

  it('does not dial again once it is closed', async () => {
    await open();
    await service.connection.close();
    await link.close();
    await service.turns.advance(LIMITS.redialMostMs);
    expect(service.connections).toHaveLength(1);
    expect(service.turns.pendingTimers).toBe(0);
  });

  it('takes a connection for lost over which nothing is heard for the time of a lease', async () => {
    await open();
    const { heartbeatMs, leaseMs } = LIMITS;
    for (let beat = 0; beat < 10; beat += 1) {
      await service.turns.advance(heartbeatMs);
      await service.beat();
    }
    expect(service.connections).toHaveLength(1);
    for (let passed = 0; passed <= leaseMs; passed += heartbeatMs) await service.turns.advance(heartbeatMs);
    expect(service.connections[0]?.closed).toBe(true);
    await service.turns.advance(LIMITS.redialMostMs);
    expect(service.connections).toHaveLength(2);
  });

  it('does not take it for lost because this process itself was asleep', async () => {
    await open();
    await service.turns.advance(10 * LIMITS.leaseMs);
    await service.turns.advance(LIMITS.heartbeatMs);
    expect(service.connection.closed).toBe(false);
  });

  it('keeps to the times that the service gave', async () => {
    const { opened } = await opening();
    await service.welcome({ heartbeatMs: 100, leaseMs: 300 });
    await opened;
    for (let passed = 0; passed <= 300; passed += 100) await service.turns.advance(100);
    expect(service.connection.closed).toBe(true);
  });
});

describe('the time before the next dial', () => {
  it.each([
    [0, 100],
    [1, 200],
    [5, 3_200],
    [6, 5_000],
    [2_000, 5_000],
  ])('after %i failures is anything up to %i ms', (failures, most) => {
    expect(redialDelayMs(failures, 0)).toBe(0);
    expect(redialDelayMs(failures, 0.999_999)).toBeCloseTo(most, 1);
  });
});

describe('a question to the service', () => {
  it('is asked again over the next connection, as is one that came while there was none', async () => {
    const inquiry = new ServiceInquiry(link);
    await open();
    const workers = inquiry.ask({ question: 'workers' });
    await service.connection.close();
    const routines = inquiry.ask({ question: 'routines' });
    await service.turns.advance(LIMITS.redialMostMs);
    await service.welcome();
    expect(service.heard.filter(({ type }) => type === 'v1.service.ask')).toMatchObject([
      { ask: '1', question: 'workers' },
      { ask: '2', question: 'routines' },
    ]);
    await service.say({ type: 'v1.service.answer', ask: '2', routines: [] });
    await service.say({ type: 'v1.service.answer', ask: '1', workers: [] });
    expect(await routines).toMatchObject({ routines: [] });
    expect(await workers).toMatchObject({ workers: [] });
  });

  it('fails when the service is not reached again', async () => {
    const inquiry = new ServiceInquiry(link);
    await open();
    const workers = inquiry.ask({ question: 'workers' });
    await link.close();
    await expect(workers).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
    await expect(inquiry.ask({ question: 'workers' })).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
  });
});
