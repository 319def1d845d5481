import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { RememberControl } from '../model/call.js';
import { LIMITS } from '../model/limits.js';
import { REFERENCE_NODE_BYTES } from '../model/reference.js';
import { OUTLINE_ENTRIES } from '../model/result.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import { WORKER_STATUSES } from '../model/statuses.js';
import { TRIGGER_WHENS, type OfferedTrigger } from '../model/trigger.js';
import type { BlobPart } from '../model/stored-blob.js';
import type { DirectiveHeader } from '../ports/transport.js';
import type { Directive, Greeting, HeldRun, RunHeader } from './directives.js';
import { readRunsAnnounced } from './announcements.js';
import { FieldReader, ID_LENGTH, NAME_LENGTH } from './fields.js';
import { readAnswer, readAsk } from './inspection.js';
import { readInputs } from './read-inputs.js';
import type { ReferenceText } from './reference-text.js';

const DIGEST_LENGTH = 64;
/** Highest number of a part of a value. */
const LAST_PART = 1_000_000;
/** Highest depth of triggers that a header may say; nodes keep to a lower one. */
const TRIGGER_DEPTH = 1_000;
const PATH_LENGTH = 500;
const STORE_LENGTH = 2_000;
const MOST_HELD = 10_000;
const MOST_ACKNOWLEDGED = 10_000;
const SERIALIZER_LENGTH = 200;
const MOST_SERIALIZERS = 1_000;
const VERSION_LENGTH = 64;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

type Reader = (fields: FieldReader) => Directive;

const run = (fields: FieldReader): RunHeader => ({
  runId: fields.text('runId', ID_LENGTH),
  attempt: fields.count('attempt', 1_000_000),
  lease: fields.count('lease'),
});

function offered(fields: FieldReader, value: unknown): OfferedRoutine {
  const routine = fields.item('routines', value);
  return {
    routineId: routine.text('routineId', NAME_LENGTH),
    sourceHash: routine.optional('sourceHash', (name) => routine.text(name, DIGEST_LENGTH)),
    trigger: routine.optional('trigger', (name) => offeredTrigger(routine.record(name))),
  };
}

function offeredTrigger(fields: FieldReader): OfferedTrigger {
  return { on: fields.text('on', NAME_LENGTH), when: fields.someOf('when', TRIGGER_WHENS) };
}

const serializerKeys = (fields: FieldReader, name: string): string[] =>
  fields.texts(name, SERIALIZER_LENGTH, MOST_SERIALIZERS);

const store = (fields: FieldReader) => (name: string) => fields.text(name, STORE_LENGTH);

/** Parts of a value that lie in a store, and which store that is. */
function kept(fields: FieldReader): { store: string | undefined; blobs: BlobPart[] | undefined } {
  const parts = new Set<number>();
  const readBlob = (value: unknown): BlobPart => {
    const blob = fields.item('blobs', value);
    const part = blob.count('part', LAST_PART);
    if (parts.has(part)) return fields.refuse('blobs', 'a list of different parts');
    parts.add(part);
    return { part, digest: blob.sha256('digest'), byteLength: blob.count('byteLength') };
  };
  const blobs = fields.optional('blobs', (name) => fields.list(name, readBlob));
  return { store: blobs ? store(fields)('store') : fields.optional('store', store(fields)), blobs };
}

function reference(fields: FieldReader): ReferenceText {
  const named = fields.record('reference');
  return {
    key: named.sha256('key'),
    store: named.text('store', STORE_LENGTH),
    routineId: named.text('routineId', NAME_LENGTH),
    byteLength: named.count('byteLength'),
    node: named.base64('node', REFERENCE_NODE_BYTES),
  };
}

function remember(fields: FieldReader): RememberControl {
  const control = fields.record('remember');
  return {
    refresh: control.optional('refresh', (name) => control.flag(name)),
    maxAgeMs: control.optional('maxAgeMs', (name) => control.finite(name)),
    verifyRate: control.optional('verifyRate', (name) => control.finite(name)),
    outline: control.optional('outline', (name) => control.texts(name, PATH_LENGTH, 2 * OUTLINE_ENTRIES)),
  };
}

const STATES = ['waiting', 'running', 'hanging', 'finished'] as const;

function held(fields: FieldReader, value: unknown): HeldRun {
  const item = fields.item('runs', value);
  const detached = (known: FieldReader): HeldRun['detached'] => ({
    routineId: known.text('routineId', NAME_LENGTH),
    rootRunId: known.text('rootRunId', ID_LENGTH),
    parentRunId: known.optional('parentRunId', (name) => known.text(name, ID_LENGTH)),
  });
  return {
    ...run(item),
    state: item.oneOf('state', STATES),
    detached: item.optional('detached', (name) => detached(item.record(name))),
  };
}

const READERS: { readonly [Type in Directive['type']]: Reader } = {
  'v1.service.ask': readAsk,
  'v1.service.answer': readAnswer,
  'v1.node.leaving': () => ({ type: 'v1.node.leaving' }),
  'v1.node.resynced': () => ({ type: 'v1.node.resynced' }),
  'v1.worker.holds': (fields) => ({
    type: 'v1.worker.holds',
    runs: fields.list('runs', (value) => held(fields, value), MOST_HELD),
  }),
  'v1.worker.ready': (fields) => ({
    type: 'v1.worker.ready',
    routines: fields.list('routines', (value) => offered(fields, value)),
    slots: fields.count('slots', 100_000),
    inbox: fields.count('inbox', 100_000),
    store: fields.optional('store', store(fields)),
    labels: fields.optional('labels', (name) => fields.labels(name)),
    serializers: fields.optional('serializers', (name) => serializerKeys(fields, name)),
    acceptsWork: fields.optional('acceptsWork', (name) => (fields.flag(name) ? undefined : false)),
  }),
  'v1.worker.draining': () => ({ type: 'v1.worker.draining' }),
  'v1.heartbeat.check_pulse': () => ({ type: 'v1.heartbeat.check_pulse' }),
  'v1.heartbeat.give_pulse': (fields) => ({
    type: 'v1.heartbeat.give_pulse',
    status: fields.oneOf('status', WORKER_STATUSES),
  }),
  'v1.routine.request_start': (fields) => ({
    type: 'v1.routine.request_start',
    ...run(fields),
    rootRunId: fields.text('rootRunId', ID_LENGTH),
    routineId: fields.text('routineId', NAME_LENGTH),
    ...kept(fields),
    resumed: fields.optional('resumed', (name) => fields.flag(name)),
    startedOn: fields.optional('startedOn', (name) => fields.text(name, NAME_LENGTH)),
    parentRunId: fields.optional('parentRunId', (name) => fields.text(name, ID_LENGTH)),
    argumentsDigest: fields.optional('argumentsDigest', (name) => fields.text(name, DIGEST_LENGTH)),
    remember: fields.optional('remember', () => remember(fields)),
    answer: fields.optional('answer', (name) => fields.oneOf(name, ['reference', 'both'])),
    queueTimeoutMs: fields.optional('queueTimeoutMs', (name) => fields.finite(name)),
    attemptTimeoutMs: fields.optional('attemptTimeoutMs', (name) => fields.finite(name)),
    speculateAfterMs: fields.optional('speculateAfterMs', (name) => fields.finite(name)),
    inputs: fields.optional('inputs', (name) => readInputs(fields, name)),
    depth: fields.optional('depth', (name) => fields.count(name, LIMITS.callDepth)),
    priority: fields.optional('priority', (name) => fields.between(name, LIMITS.highestPriority)),
    labels: fields.optional('labels', (name) => fields.labels(name)),
    serializers: fields.optional('serializers', (name) => serializerKeys(fields, name)),
    detached: fields.optional('detached', (name) => fields.flag(name) || undefined),
    triggeredBy: fields.optional('triggeredBy', (name) => fields.text(name, ID_LENGTH)),
    triggerDepth: fields.optional('triggerDepth', (name) => fields.count(name, TRIGGER_DEPTH)),
    submitted: fields.optional('submitted', (name) => fields.texts(name, ID_LENGTH, LIMITS.callDepth + 1)),
  }),
  'v1.routine.accepted': (fields) => ({ type: 'v1.routine.accepted', ...run(fields) }),
  'v1.routine.observe': (fields) => ({ type: 'v1.routine.observe', ...run(fields) }),
  'v1.routine.waiting': (fields) => ({
    type: 'v1.routine.waiting',
    ...run(fields),
    detail: fields.text('detail'),
    error: fields.optional('error', (name) => fields.error(name)),
  }),
  'v1.routine.resend': (fields) => ({
    type: 'v1.routine.resend',
    ...run(fields),
    inline: fields.flag('inline'),
  }),
  'v1.routine.starting': (fields) => ({
    type: 'v1.routine.starting',
    ...run(fields),
    worker: fields.text('worker', NAME_LENGTH),
  }),
  'v1.routine.hanging': (fields) => ({
    type: 'v1.routine.hanging',
    ...run(fields),
    waits: fields.flag('waits'),
  }),
  'v1.routine.progress': (fields) => ({
    type: 'v1.routine.progress',
    ...run(fields),
    done: fields.finite('done'),
    total: fields.optional('total', (name) => fields.finite(name)),
  }),
  'v1.log': (fields) => ({
    type: 'v1.log',
    ...run(fields),
    level: fields.oneOf('level', LEVELS),
    message: fields.text('message', 70_000),
  }),
  'v1.routine.completed': (fields) => ({
    type: 'v1.routine.completed',
    ...run(fields),
    ...kept(fields),
    durationMs: fields.finite('durationMs'),
    rememberedIn: fields.optional('rememberedIn', (name) => fields.text(name)),
    node: fields.optional('node', (name) => fields.base64(name, REFERENCE_NODE_BYTES)),
    streams: fields.optional('streams', (name) => fields.count(name, LAST_PART)),
    reference: fields.optional('reference', () => reference(fields)),
  }),
  'v1.routine.failed': (fields) => ({
    type: 'v1.routine.failed',
    ...run(fields),
    cancelled: fields.flag('cancelled'),
    again: fields.oneOf('again', ['no', 'busy', 'lost', 'downfall']),
    error: fields.error('error'),
  }),
  'v1.routine.cancel': (fields) => ({
    type: 'v1.routine.cancel',
    ...run(fields),
    error: fields.error('error'),
  }),
  'v1.routine.ack': (fields) => ({
    type: 'v1.routine.ack',
    runs: fields.list('runs', (value) => run(fields.item('runs', value)), MOST_ACKNOWLEDGED),
  }),
  'v1.routine.report_again': (fields) => ({ type: 'v1.routine.report_again', ...run(fields) }),
  'v1.run.announced': readRunsAnnounced,
};

/**
 * The only door from a stranger's header to a typed directive. Unknown fields are dropped.
 * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`, naming type and field.
 */
export function readDirective(header: DirectiveHeader): Directive {
  const type = typeOf(header);
  if (!Object.hasOwn(READERS, type)) {
    throw new RoutineEngineError(
      'PROTOCOL_MALFORMED',
      `A directive of the unknown type ${JSON.stringify(type)} came`,
    );
  }
  return READERS[type as Directive['type']](new FieldReader(type, header));
}

/**
 * The number that a directive of a session carries.
 * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`, also for another session.
 */
export function readSequence(header: DirectiveHeader, session: string): number {
  const sequence = header['sequence'];
  if (header['session'] !== session) {
    throw new RoutineEngineError(
      'PROTOCOL_MALFORMED',
      `A directive ${typeOf(header)} came for another session`,
    );
  }
  if (typeof sequence !== 'number' || !Number.isSafeInteger(sequence) || sequence < 0) {
    throw new RoutineEngineError(
      'PROTOCOL_MALFORMED',
      `A directive ${typeOf(header)} came without a sequence number`,
    );
  }
  return sequence;
}

/**
 * The same for the handshake.
 * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`.
 */
export function readGreeting(header: DirectiveHeader): Greeting {
  const type = typeOf(header);
  const fields = new FieldReader(type, header);
  if (type === 'hello') {
    return {
      type,
      protocols: fields.list('protocols', (value) => (typeof value === 'number' ? value : Number.NaN), 100),
      role: fields.oneOf('role', ['client', 'worker']),
      name: fields.text('name', NAME_LENGTH),
      codec: fields.text('codec', NAME_LENGTH),
      serializers: serializerKeys(fields, 'serializers'),
      core: fields.optional('core', (name) => fields.text(name, VERSION_LENGTH)),
      resume: fields.optional('resume', (name) => fields.text(name, ID_LENGTH)),
    };
  }
  if (type === 'welcome') {
    return {
      type,
      protocol: fields.count('protocol'),
      session: fields.text('session', ID_LENGTH),
      service: fields.text('service', NAME_LENGTH),
      resumed: fields.flag('resumed'),
      heartbeatMs: fields.duration('heartbeatMs'),
      leaseMs: fields.duration('leaseMs'),
      core: fields.optional('core', (name) => fields.text(name, VERSION_LENGTH)),
    };
  }
  if (type === 'refused') return { type, error: fields.error('error') };
  throw new RoutineEngineError(
    'PROTOCOL_MALFORMED',
    `A connection began with ${JSON.stringify(type)}, not with hello`,
  );
}

function typeOf(header: DirectiveHeader): string {
  const type = typeof header === 'object' && header !== null ? header['type'] : undefined;
  if (typeof type !== 'string' || type.length > 100) {
    throw new RoutineEngineError('PROTOCOL_MALFORMED', 'A directive came without a type');
  }
  return type;
}
