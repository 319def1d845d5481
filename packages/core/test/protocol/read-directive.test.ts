import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { Directive } from '../../src/protocol/directives.js';
import { readDirective, readGreeting, readSequence } from '../../src/protocol/read-directive.js';

const run = { runId: 'run-1', attempt: 1, lease: 7 };
const error = { name: 'TypeError', message: 'no', code: 'E_NO', stack: 'at x', cause: { text: 'because' } };

const blobs = [
  { part: 0, digest: 'a'.repeat(64), byteLength: 300_000 },
  { part: 7, digest: '0'.repeat(64), byteLength: 0 },
];
const reference = {
  ...{ key: 'b'.repeat(64), store: 'fs:/x', routineId: 'tname:test:train:1.0.0', byteLength: 5 },
  node: 'AQI=',
};

/** One of each type, complete. */
const directives: Directive[] = [
  {
    type: 'v1.worker.ready',
    routines: [{ routineId: 'tname:test:train:1.0.0', sourceHash: 'ab' }],
    slots: 2,
    inbox: 8,
    store: 'fs:/x',
    labels: { gpu: 'a100', zone: '' },
  },
  { type: 'v1.worker.draining' },
  { type: 'v1.heartbeat.check_pulse' },
  { type: 'v1.heartbeat.give_pulse', status: 'HANGING' },
  {
    type: 'v1.routine.request_start',
    ...run,
    ...{ rootRunId: 'run-0', parentRunId: 'run-0', routineId: 'tname:test:train:1.0.0' },
    ...{
      resumed: true,
      startedOn: 'worker-1',
      argumentsDigest: 'cd',
      queueTimeoutMs: 5.5,
      answer: 'reference',
      store: 'fs:/x',
      blobs,
    },
    ...{ depth: 3, priority: -7, labels: { gpu: 'a100' }, speculateAfterMs: 250 },
    inputs: [{ digest: 'b'.repeat(64), byteLength: 1_000_000 }],
    detached: true,
  },
  { type: 'v1.routine.waiting', ...run, detail: 'nobody', error },
  { type: 'v1.routine.starting', ...run, worker: 'worker-1' },
  { type: 'v1.routine.hanging', ...run, waits: true },
  { type: 'v1.routine.progress', ...run, done: 0.5, total: 1 },
  { type: 'v1.log', ...run, level: 'warn', message: 'hm' },
  {
    ...{ type: 'v1.routine.completed', ...run, durationMs: 0.25, rememberedIn: 'fs:/x' },
    ...{ streams: 1, store: 'fs:/x', blobs, reference },
  },
  { type: 'v1.routine.failed', ...run, cancelled: false, again: 'lost', error },
  { type: 'v1.routine.cancel', ...run, error },
  { type: 'v1.routine.ack', runs: [run, { runId: 'run-2', attempt: 3, lease: 8 }] },
  { type: 'v1.service.ask', ask: '1', question: 'workers' },
  { type: 'v1.service.ask', ask: '2', question: 'cancel', runId: 'run-1', error },
  {
    ...{ type: 'v1.service.ask', ask: '3', question: 'runs', runId: 'run-1' },
    filter: {
      ...{
        status: ['PENDING', 'HANGING'],
        routine: 'tname:train',
        parentRunId: 'a',
        rootRunId: 'b',
        limit: 7,
      },
    },
  },
  {
    ...{ type: 'v1.service.answer', ask: '3', cancelled: true, error },
    runs: [
      {
        ...{ runId: 'run-1', routineId: 'tname:test:train:1.0.0', rootRunId: 'run-0', parentRunId: 'run-0' },
        ...{ status: 'HANGING', attempt: 2, worker: 'worker-1', requester: 'client', waitsFor: ['run-2'] },
        detached: true,
      },
    ],
    workers: [
      {
        ...{ name: 'worker-1', status: 'UNRESPONSIVE', slots: 2, inbox: 8, running: 1, hanging: 3 },
        ...{ acceptsWork: false, labels: { gpu: 'a100' }, routines: ['tname:test:train:1.0.0'] },
      },
    ],
    routines: [{ routineId: 'tname:test:train:1.0.0', recordId: 'tdb:ab', workers: 1 }],
  },
  { type: 'v1.routine.accepted', ...run },
  { type: 'v1.routine.observe', ...run },
  { type: 'v1.routine.resend', ...run, inline: true },
  { type: 'v1.routine.report_again', ...run },
  { type: 'v1.node.leaving' },
  { type: 'v1.node.resynced' },
  {
    type: 'v1.worker.holds',
    runs: [
      { ...run, state: 'hanging' },
      {
        ...{ ...run, state: 'finished' },
        detached: { routineId: 'tname:test:train:1.0.0', rootRunId: 'run-0', parentRunId: 'run-0' },
      },
    ],
  },
];
const titled = directives.map((directive) => [directive.type, directive] as const);
const malformed = expect.objectContaining({ code: 'PROTOCOL_MALFORMED' });

/** The type of what was read, or the code of the refusal. */
function codeOrType(header: Parameters<typeof readDirective>[0]): string {
  try {
    return readDirective(header).type;
  } catch (thrown) {
    return (thrown as RoutineEngineError).code;
  }
}

describe('a directive', () => {
  it.each(titled)('%s is read as it was written', (_, directive) => {
    expect(readDirective({ ...directive, session: 's', sequence: 1 })).toEqual(directive);
  });

  it.each(titled)('%s is refused without any of its fields, and the field is named', (_, directive) => {
    const optional = new Set([
      'type',
      'parentRunId',
      'argumentsDigest',
      'queueTimeoutMs',
      'speculateAfterMs',
      'total',
      'rememberedIn',
      'error',
      'answer',
      'resumed',
      'startedOn',
      'blobs',
      'streams',
      'reference',
      'depth',
      'priority',
      'labels',
      'inputs',
      'detached',
      ...(directive.type === 'v1.service.answer' ? ['runs', 'workers', 'routines', 'cancelled'] : []),
      ...(directive.type === 'v1.service.ask' && directive.question === 'runs' ? ['runId'] : []),
    ]);
    // Needed only where there are blobs.
    if (!('blobs' in directive)) optional.add('store');
    if (['v1.routine.failed', 'v1.routine.cancel', 'v1.service.ask'].includes(directive.type))
      optional.delete('error');
    for (const field of Object.keys(directive).filter((name) => !optional.has(name))) {
      const { [field]: _gone, ...rest } = directive as unknown as Record<string, unknown>;
      expect(() => readDirective(rest), field).toThrow(
        expect.objectContaining({ code: 'PROTOCOL_MALFORMED', message: expect.stringContaining(field) }),
      );
    }
  });

  it.each(titled)('%s drops what it does not know', (_, directive) => {
    const more = { ...directive, extra: 1, constructor: 'x', __proto__: { polluted: true } };
    expect(readDirective(more)).toEqual(directive);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it.each([
    ['no object', null],
    ['a type that is no text', { type: 1 }],
    ['a type that objects inherit', { type: 'constructor' }],
    ['an attempt below 0', { ...directives[7], attempt: -1 }],
    ['a lease that is no whole number', { ...directives[7], lease: 1.5 }],
    ['a run id too long', { ...directives[7], runId: 'x'.repeat(65) }],
    ['a part of a value twice', { ...directives[10], blobs: [...blobs, blobs[1]] }],
    ['a part of a value beyond the last', { ...directives[10], blobs: [{ ...blobs[0], part: 1_000_001 }] }],
    ['a part of a value below 0', { ...directives[4], blobs: [{ ...blobs[0], part: -1 }] }],
    [
      'a part with another digest',
      { ...directives[4], blobs: [{ ...blobs[0], digest: '../'.repeat(21) + 'a' }] },
    ],
    ['a part without a digest', { ...directives[4], blobs: [{ part: 1, byteLength: 3 }] }],
    ['parts that are none', { ...directives[4], blobs: [null] }],
    ['too many parts', { ...directives[4], blobs: Array.from({ length: 100_001 }, () => blobs[0]) }],
    ['parts in a store without a name', { ...directives[4], store: undefined }],
    ['a depth beyond the deepest', { ...directives[4], depth: 10_001 }],
    ['a priority beyond the highest', { ...directives[4], priority: 101 }],
    ['a priority below the lowest', { ...directives[4], priority: -101 }],
    ['a priority between two', { ...directives[4], priority: 0.5 }],
    [
      'an input of another form of digest',
      { ...directives[4], inputs: [{ digest: 'B'.repeat(64), byteLength: 1 }] },
    ],
    [
      'too many inputs',
      {
        ...directives[4],
        inputs: Array.from({ length: 17 }, () => ({ digest: 'b'.repeat(64), byteLength: 1 })),
      },
    ],
    ['detached that is no flag', { ...directives[4], detached: 1 }],
    [
      'a held run that is detached from nothing known',
      { type: 'v1.worker.holds', runs: [{ ...run, state: 'running', detached: { routineId: 'a' } }] },
    ],
    ['labels that are a list', { ...directives[4], labels: ['gpu'] }],
    ['a label that is no text', { ...directives[0], labels: { gpu: 1 } }],
    ['a label that is too long', { ...directives[0], labels: { gpu: 'x'.repeat(201) } }],
    [
      'too many labels',
      { ...directives[0], labels: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`n${n}`, ''])) },
    ],
    ['another answer', { ...directives[4], answer: 'value' }],
    [
      'a reference of another form of key',
      { ...directives[10], reference: { ...reference, key: 'B'.repeat(64) } },
    ],
    ['a reference without a node', { ...directives[10], reference: { ...reference, node: '' } }],
    ['a reference whose node is no base64', { ...directives[10], reference: { ...reference, node: 'AQI' } }],
    [
      'a reference whose node is too long',
      { ...directives[10], reference: { ...reference, node: 'AAAA'.repeat(1_366) } },
    ],
    ['a reference that is a text', { ...directives[10], reference: 'b' }],
    ['streams that are no number', { ...directives[10], streams: '1' }],
    ['a duration that is no number', { ...directives[10], durationMs: Number.NaN }],
    ['fields only by inheritance', Object.create(directives[13]!)],
  ])('with %s is refused', (_, header) => {
    expect(() => readDirective(header as never)).toThrow(malformed);
  });

  it('of any kind gives a directive or PROTOCOL_MALFORMED, and nothing else', () => {
    const type = fc.constantFrom(...directives.map((directive) => directive.type));
    const header = fc
      .tuple(type, fc.dictionary(fc.string(), fc.anything()))
      .map(([known, rest]) => ({ ...rest, type: known }));
    const mutated = fc
      .tuple(
        fc.constantFrom(...directives),
        fc.dictionary(
          fc.constantFrom(
            ...['runId', 'attempt', 'error', 'blobs', 'store', 'reference', 'streams'],
            ...['depth', 'priority', 'labels', 'inputs'],
          ),
          fc.anything(),
        ),
      )
      .map(([directive, changes]) => ({ ...directive, ...changes }));
    fc.assert(
      fc.property(fc.oneof(header, mutated), (given) => {
        expect(codeOrType(given)).toMatch(/^(v1\.|PROTOCOL_MALFORMED$)/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('an error in a directive', () => {
  it('is cut off where it is nested too deep', () => {
    let deep: Record<string, unknown> = { name: 'Error', message: 'bottom' };
    for (let level = 0; level < 10_000; level += 1)
      deep = { name: 'Error', message: 'm', cause: { error: deep } };
    const read = readDirective({
      type: 'v1.routine.failed',
      ...run,
      cancelled: false,
      again: 'no',
      error: deep,
    });
    expect(JSON.stringify(read).length).toBeLessThan(10_000);
  });

  it('keeps only properties that are plain', () => {
    const properties = { status: 404, ok: false, none: null, nested: { a: 1 }, call: () => 1 };
    const read = readDirective({
      ...{ type: 'v1.routine.failed', ...run, cancelled: false, again: 'no' },
      error: { name: 'Error', message: 'm', properties },
    });
    expect(read).toMatchObject({ error: { properties: { status: 404, ok: false, none: null } } });
    expect(Object.keys((read as { error: { properties: object } }).error.properties)).toHaveLength(3);
  });
});

describe('the sequence number', () => {
  it('is read for the session it belongs to', () => {
    expect(readSequence({ type: 'v1.log', session: 's', sequence: 4 }, 's')).toBe(4);
  });

  it.each([
    ['another session', { session: 'other', sequence: 1 }],
    ['no session', { sequence: 1 }],
    ['no number', { session: 's' }],
    ['a number that is none', { session: 's', sequence: '1' }],
  ])('with %s is refused', (_, stamp) => {
    expect(() => readSequence({ type: 'v1.log', ...stamp }, 's')).toThrow(malformed);
  });
});

describe('a greeting', () => {
  it.each([
    {
      ...{ type: 'hello', protocols: [1, 2], role: 'worker', name: 'w' },
      ...{ codec: 'c', serializers: ['a'], core: '1.2.3' },
    },
    {
      ...{ type: 'welcome', protocol: 1, session: 's', service: 'x', core: '1.2.3' },
      ...{ resumed: true, heartbeatMs: 2_000, leaseMs: 10_000 },
    },
    { type: 'refused', error },
  ])('$type is read as it was written', (greeting) => {
    expect(readGreeting(greeting)).toEqual(greeting);
  });
});
