import { beforeEach, describe, expect, it } from 'vitest';
import { bodyOf } from '../../src/model/body.js';
import type { Directive } from '../../src/protocol/directives.js';
import { Session } from '../../src/protocol/session.js';
import { ScriptedConnection } from '../support/scripted-connection.js';
import { UnreadBody } from '../support/unread-body.js';

const log = (message: string): Directive => ({
  type: 'v1.log',
  runId: 'r',
  attempt: 1,
  lease: 0,
  level: 'info',
  message,
});
const pulse: Directive = { type: 'v1.heartbeat.give_pulse', status: 'IDLE' };
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

let connection: ScriptedConnection;
let session: Session;
const said = (): unknown[] => connection.sent.map(({ header }) => header['message'] ?? 'pulse');

beforeEach(() => {
  connection = new ScriptedConnection();
  session = new Session('s', connection);
});

describe('a session that sends', () => {
  it('numbers what it sends, from 1 on', () => {
    session.send(log('a'));
    session.send(log('b'));
    expect(connection.sent.map(({ header }) => [header['session'], header['sequence']])).toEqual([
      ['s', 1],
      ['s', 2],
    ]);
  });

  it('keeps directives back while the window is full, and sends them in order when it is not', async () => {
    connection.full = true;
    for (const message of ['a', 'b', 'c', 'd']) session.send(log(message));
    // The one that filled the window was taken; the next waits for it to drain.
    expect(said()).toEqual(['a']);
    connection.drain();
    await settle();
    expect(said()).toEqual(['a', 'b', 'c', 'd']);
    expect(connection.sent.map(({ header }) => header['sequence'])).toEqual([1, 2, 3, 4]);
  });

  it('waits again when the window fills again', async () => {
    connection.full = true;
    for (const message of ['a', 'b', 'c']) session.send(log(message));
    connection.drain();
    connection.full = true;
    await settle();
    expect(said()).toEqual(['a', 'b']);
    connection.drain();
    await settle();
    expect(said()).toEqual(['a', 'b', 'c']);
  });

  it('lets a heartbeat overtake what waits', async () => {
    connection.full = true;
    session.send(log('a'));
    session.send(log('b'));
    session.send(pulse);
    expect(said()).toEqual(['a', 'pulse']);
    connection.drain();
    await settle();
    expect(said()).toEqual(['a', 'pulse', 'b']);
    expect(connection.sent.map(({ header }) => header['sequence'])).toEqual([1, 2, 3]);
  });

  it('forgets what waits when the connection closes, and gives up its bodies', async () => {
    connection.full = true;
    session.send(log('a'));
    const body = new UnreadBody();
    session.send(log('b'), body);
    await connection.close();
    await settle();
    expect(() => session.send(log('c'))).toThrow(expect.objectContaining({ code: 'TRANSPORT_CLOSED' }));
    expect(said()).toEqual(['a']);
    expect(body.isGivenUp).toBe(true);
  });
});

describe('a session that receives', () => {
  const completed = {
    type: 'v1.routine.completed',
    runId: 'r',
    attempt: 1,
    lease: 1,
    durationMs: 1,
    session: 's',
  };
  const body = bodyOf({ head: new Uint8Array(3), buffers: [new Uint8Array(5)] });
  const { parts: _, ...streamed } = body;

  it.each([
    ['in memory', body],
    ['still to be read', streamed],
  ])('takes a body %s', (_name, given) => {
    const header = { ...completed, sequence: 1 };
    expect(session.receive({ header, body: given })).toMatchObject({ type: 'v1.routine.completed' });
  });

  it('takes a result without a body when it is only named', () => {
    const digest = 'a'.repeat(64);
    const reference = {
      key: digest,
      store: 'fs:/x',
      routineId: 'tname:t:t:1.0.0',
      byteLength: 1,
      node: 'AQ==',
    };
    expect(session.receive({ header: { ...completed, reference, sequence: 1 } })).toMatchObject({
      reference,
    });
  });

  const blobs = [{ part: 1, digest: 'a'.repeat(64), byteLength: 300_000 }];
  it.each([
    ['no body', undefined, {}],
    ['a body without a head', { ...body, sizes: [], byteLength: 0 }, {}],
    ['more streams than buffers', body, { streams: 2 }],
    ['a part both in the body and in a store', body, { store: 'fs:/x', blobs }],
    [
      'a part in a store that the body has no place for',
      body,
      { store: 'fs:/x', blobs: [{ ...blobs[0], part: 2 }] },
    ],
  ])('refuses %s', (_name, given, fields) => {
    const header = { ...completed, ...fields, sequence: 1 };
    expect(() => session.receive(given ? { header, body: given } : { header })).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_MALFORMED' }),
    );
  });

  it('refuses a result that is both named and in a body, and gives the body up', () => {
    const reference = {
      ...{ key: 'a'.repeat(64), store: 'fs:/x', routineId: 'tname:t:t:1.0.0' },
      ...{ byteLength: 1, node: 'AQ==' },
    };
    const both = new UnreadBody();
    expect(() => session.receive({ header: { ...completed, reference, sequence: 1 }, body: both })).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_MALFORMED' }),
    );
    expect(both.isGivenUp).toBe(true);
  });

  it('gives up a body that nobody gets', () => {
    const pulse = { type: 'v1.heartbeat.give_pulse', status: 'IDLE', session: 's' };
    const [once, twice, useless, malformed] = [
      new UnreadBody(),
      new UnreadBody(),
      new UnreadBody(),
      new UnreadBody(),
    ] as const;
    session.receive({ header: { ...completed, sequence: 1 }, body: once });
    session.receive({ header: { ...completed, sequence: 1 }, body: twice });
    session.receive({ header: { ...pulse, sequence: 2 }, body: useless });
    expect(() => session.receive({ header: { type: 'nonsense' }, body: malformed })).toThrow(
      'for another session',
    );
    expect([once, twice, useless, malformed].map((each) => each.isGivenUp)).toEqual([
      false,
      true,
      true,
      true,
    ]);
  });

  it('takes what comes twice once, and refuses a gap', () => {
    const header = { type: 'v1.worker.draining', session: 's', sequence: 1 };
    expect(session.receive({ header })).toEqual({ type: 'v1.worker.draining' });
    expect(session.receive({ header })).toBeUndefined();
    expect(() => session.receive({ header: { ...header, sequence: 3 } })).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_MALFORMED' }),
    );
  });
});

describe('a session whose connection refuses a directive', () => {
  it('leaves no gap in its numbers', () => {
    connection.refuseNext = new Error('too large');
    expect(() => session.send(log('a'))).toThrow('too large');
    session.send(log('b'));
    expect(connection.sent.map(({ header }) => header['sequence'])).toEqual([1]);
  });

  it('goes on with the others that wait, and tells whose it was', async () => {
    connection.full = true;
    session.send(log('a'));
    const body = new UnreadBody();
    const refused: string[] = [];
    session.send(log('b'), body, (error) => refused.push(error.message));
    session.send(log('c'), undefined, (error) => refused.push(error.message));
    connection.refuseNext = new Error('too large');
    connection.drain();
    await settle();
    expect(said()).toEqual(['a', 'c']);
    expect(connection.sent.map(({ header }) => header['sequence'])).toEqual([1, 2]);
    expect(refused).toEqual(['too large']);
    expect(body.isGivenUp).toBe(true);
  });

  it('sends a failure without what its error was caused by', () => {
    const error = { name: 'Error', message: 'why', code: 'RUN_CANCELLED', stack: 'where' };
    const cause = { error: { name: 'Error', message: 'long' } };
    const failed: Directive = {
      type: 'v1.routine.failed',
      ...{ runId: 'r', attempt: 1, lease: 1, cancelled: false, again: 'no' as const },
      error: { ...error, cause, errors: [error], properties: { status: 1 } },
    };
    connection.refuseNext = new Error('too large');
    session.send(failed);
    expect(connection.sent.map(({ header }) => header)).toEqual([
      { ...failed, error, session: 's', sequence: 1 },
    ]);
  });
});
