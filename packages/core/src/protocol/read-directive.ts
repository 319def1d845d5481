import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import { WORKER_STATUSES } from '../model/statuses.js';
import { TRIGGER_WHENS, type OfferedTrigger } from '../model/trigger.js';
import type { DirectiveHeader } from '../ports/transport.js';
import type { Directive, Greeting, HeldRun } from './directives.js';
import { readRunsAnnounced } from './announcements.js';
import { DIGEST_LENGTH, FieldReader, ID_LENGTH, NAME_LENGTH, STORE_LENGTH } from './fields.js';
import { readAnswer, readAsk } from './inspection.js';
import { readSerializerKeys } from './read-request.js';
import { readRunHeader, RUN_READERS } from './read-run-directives.js';

const MOST_HELD = 10_000;
const VERSION_LENGTH = 64;

type Reader = (fields: FieldReader) => Directive;

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

const STATES = ['waiting', 'running', 'hanging', 'finished'] as const;

function held(fields: FieldReader, value: unknown): HeldRun {
  const item = fields.item('runs', value);
  const detached = (known: FieldReader): HeldRun['detached'] => ({
    routineId: known.text('routineId', NAME_LENGTH),
    rootRunId: known.text('rootRunId', ID_LENGTH),
    parentRunId: known.optional('parentRunId', (name) => known.text(name, ID_LENGTH)),
  });
  return {
    ...readRunHeader(item),
    state: item.oneOf('state', STATES),
    detached: item.optional('detached', (name) => detached(item.record(name))),
  };
}

const OTHER_READERS: { readonly [Type in Exclude<Directive['type'], keyof typeof RUN_READERS>]: Reader } = {
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
    store: fields.optional('store', (name) => fields.text(name, STORE_LENGTH)),
    labels: fields.optional('labels', (name) => fields.labels(name)),
    serializers: fields.optional('serializers', () => readSerializerKeys(fields)),
    acceptsWork: fields.optional('acceptsWork', (name) => (fields.flag(name) ? undefined : false)),
  }),
  'v1.worker.draining': () => ({ type: 'v1.worker.draining' }),
  'v1.heartbeat.check_pulse': () => ({ type: 'v1.heartbeat.check_pulse' }),
  'v1.heartbeat.give_pulse': (fields) => ({
    type: 'v1.heartbeat.give_pulse',
    status: fields.oneOf('status', WORKER_STATUSES),
  }),
  'v1.run.announced': readRunsAnnounced,
};

const READERS: ReadonlyMap<string, Reader> = new Map(Object.entries({ ...RUN_READERS, ...OTHER_READERS }));

/**
 * The only door from a stranger's header to a typed directive. Unknown fields are dropped.
 * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`, naming type and field.
 */
export function readDirective(header: DirectiveHeader): Directive {
  const type = typeOf(header);
  const read = READERS.get(type);
  if (!read) {
    throw new RoutineEngineError(
      'PROTOCOL_MALFORMED',
      `A directive of the unknown type ${JSON.stringify(type)} came`,
    );
  }
  return read(new FieldReader(type, header));
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
      serializers: readSerializerKeys(fields),
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
