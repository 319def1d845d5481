import { REFERENCE_NODE_BYTES } from '../model/reference.js';
import type { Directive, RunCompletes, RunHeader, RunStarts } from './directives.js';
import { ATTEMPTS, ID_LENGTH, LAST_PART, NAME_LENGTH, STORE_LENGTH, type FieldReader } from './fields.js';
import { readBlobs } from './read-blobs.js';
import { readRequest } from './read-request.js';
import type { ReferenceText } from './reference-text.js';

const MOST_ACKNOWLEDGED = 10_000;
const MESSAGE_LENGTH = 70_000;
const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const AGAIN = ['no', 'busy', 'lost', 'downfall'] as const;

/** What names an attempt at a run. */
export function readRunHeader(fields: FieldReader): RunHeader {
  const { runId, attempt, lease } = fields.header;
  return {
    runId: fields.asText('runId', runId, ID_LENGTH),
    attempt: fields.asCount('attempt', attempt, ATTEMPTS),
    lease: fields.asCount('lease', lease),
  };
}

/** Put together by name: with a spread in it, it would take several times as long, and every run has two. */
function readStarting(fields: FieldReader): RunStarts {
  const { runId, attempt, lease, worker } = fields.header;
  return {
    type: 'v1.routine.starting',
    runId: fields.asText('runId', runId, ID_LENGTH),
    attempt: fields.asCount('attempt', attempt, ATTEMPTS),
    lease: fields.asCount('lease', lease),
    worker: fields.asText('worker', worker, NAME_LENGTH),
  };
}

/** As {@link readStarting}. */
function readCompleted(fields: FieldReader): RunCompletes {
  const { runId, attempt, lease, rememberedIn, node, streams, blobs, store, reference, worker } =
    fields.header;
  return {
    type: 'v1.routine.completed',
    runId: fields.asText('runId', runId, ID_LENGTH),
    attempt: fields.asCount('attempt', attempt, ATTEMPTS),
    lease: fields.asCount('lease', lease),
    durationMs: fields.finite('durationMs'),
    rememberedIn: rememberedIn === undefined ? undefined : fields.asText('rememberedIn', rememberedIn),
    node: node === undefined ? undefined : fields.base64('node', REFERENCE_NODE_BYTES),
    streams: streams === undefined ? undefined : fields.asCount('streams', streams, LAST_PART),
    blobs: blobs === undefined ? undefined : readBlobs(fields),
    store:
      store === undefined && blobs === undefined ? undefined : fields.asText('store', store, STORE_LENGTH),
    reference: reference === undefined ? undefined : readReference(fields.record('reference')),
    worker: worker === undefined ? undefined : fields.asText('worker', worker, NAME_LENGTH),
  };
}

function readReference(named: FieldReader): ReferenceText {
  return {
    key: named.sha256('key'),
    store: named.text('store', STORE_LENGTH),
    routineId: named.text('routineId', NAME_LENGTH),
    byteLength: named.count('byteLength'),
    node: named.base64('node', REFERENCE_NODE_BYTES),
  };
}

type RunDirectiveType = Extract<Directive['type'], `v1.routine.${string}` | 'v1.log'>;

/** Readers of the directives about runs. */
export const RUN_READERS: { readonly [Type in RunDirectiveType]: (fields: FieldReader) => Directive } = {
  'v1.routine.request_start': readRequest,
  'v1.routine.accepted': (fields) => ({ type: 'v1.routine.accepted', ...readRunHeader(fields) }),
  'v1.routine.observe': (fields) => ({ type: 'v1.routine.observe', ...readRunHeader(fields) }),
  'v1.routine.waiting': (fields) => ({
    type: 'v1.routine.waiting',
    ...readRunHeader(fields),
    detail: fields.text('detail'),
    error: fields.optional('error', (name) => fields.error(name)),
  }),
  'v1.routine.resend': (fields) => ({
    type: 'v1.routine.resend',
    ...readRunHeader(fields),
    inline: fields.flag('inline'),
  }),
  'v1.routine.starting': readStarting,
  'v1.routine.hanging': (fields) => ({
    type: 'v1.routine.hanging',
    ...readRunHeader(fields),
    waits: fields.flag('waits'),
  }),
  'v1.routine.progress': (fields) => ({
    type: 'v1.routine.progress',
    ...readRunHeader(fields),
    done: fields.finite('done'),
    total: fields.optional('total', (name) => fields.finite(name)),
  }),
  'v1.log': (fields) => ({
    type: 'v1.log',
    ...readRunHeader(fields),
    level: fields.oneOf('level', LEVELS),
    message: fields.text('message', MESSAGE_LENGTH),
  }),
  'v1.routine.completed': readCompleted,
  'v1.routine.failed': (fields) => ({
    type: 'v1.routine.failed',
    ...readRunHeader(fields),
    cancelled: fields.flag('cancelled'),
    again: fields.oneOf('again', AGAIN),
    error: fields.error('error'),
  }),
  'v1.routine.cancel': (fields) => ({
    type: 'v1.routine.cancel',
    ...readRunHeader(fields),
    error: fields.error('error'),
  }),
  'v1.routine.ack': (fields) => ({
    type: 'v1.routine.ack',
    runs: fields.list('runs', (value) => readRunHeader(fields.item('runs', value)), MOST_ACKNOWLEDGED),
  }),
  'v1.routine.report_again': (fields) => ({ type: 'v1.routine.report_again', ...readRunHeader(fields) }),
};
