import type { RememberControl } from '../model/call.js';
import { LIMITS } from '../model/limits.js';
import { OUTLINE_ENTRIES } from '../model/result.js';
import type { RequestStart } from './directives.js';
import { ATTEMPTS, DIGEST_LENGTH, ID_LENGTH, NAME_LENGTH, STORE_LENGTH, type FieldReader } from './fields.js';
import { readBlobs } from './read-blobs.js';
import { readInputs } from './read-inputs.js';

/** Highest depth of triggers that a header may say; nodes keep to a lower one. */
const TRIGGER_DEPTH = 1_000;
const PATH_LENGTH = 500;
const SERIALIZER_LENGTH = 200;
const MOST_SERIALIZERS = 1_000;
const ANSWERS = ['reference', 'both'] as const;

/**
 * Reads a request. Each field by its name, and those that most requests leave out without a function for each: every run has two
 * of these.
 */
export function readRequest(fields: FieldReader): RequestStart {
  const { header } = fields;
  const { attempt, lease, startedOn, parentRunId, argumentsDigest, depth, triggeredBy, triggerDepth } =
    header;
  const { blobs, store, inputs, remember, answer, priority, labels, serializers, submitted } = header;
  return {
    type: 'v1.routine.request_start',
    runId: fields.asText('runId', header['runId'], ID_LENGTH),
    rootRunId: fields.asText('rootRunId', header['rootRunId'], ID_LENGTH),
    routineId: fields.asText('routineId', header['routineId'], NAME_LENGTH),
    attempt: fields.asCount('attempt', attempt, ATTEMPTS),
    lease: fields.asCount('lease', lease),
    parentRunId: parentRunId === undefined ? undefined : fields.asText('parentRunId', parentRunId, ID_LENGTH),
    argumentsDigest:
      argumentsDigest === undefined
        ? undefined
        : fields.asText('argumentsDigest', argumentsDigest, DIGEST_LENGTH),
    remember: remember === undefined ? undefined : readRemember(fields.record('remember')),
    answer: answer === undefined ? undefined : fields.oneOf('answer', ANSWERS),
    queueTimeoutMs: header['queueTimeoutMs'] === undefined ? undefined : fields.finite('queueTimeoutMs'),
    attemptTimeoutMs:
      header['attemptTimeoutMs'] === undefined ? undefined : fields.finite('attemptTimeoutMs'),
    speculateAfterMs:
      header['speculateAfterMs'] === undefined ? undefined : fields.finite('speculateAfterMs'),
    depth: depth === undefined ? undefined : fields.asCount('depth', depth, LIMITS.callDepth),
    submitted:
      submitted === undefined ? undefined : fields.texts('submitted', ID_LENGTH, LIMITS.callDepth + 1),
    priority: priority === undefined ? undefined : fields.between('priority', LIMITS.highestPriority),
    labels: labels === undefined ? undefined : fields.labels('labels'),
    store:
      store === undefined && blobs === undefined ? undefined : fields.asText('store', store, STORE_LENGTH),
    blobs: blobs === undefined ? undefined : readBlobs(fields),
    serializers: serializers === undefined ? undefined : readSerializerKeys(fields),
    inputs: inputs === undefined ? undefined : readInputs(fields, 'inputs'),
    detached: header['detached'] === undefined ? undefined : fields.flag('detached') || undefined,
    triggeredBy: triggeredBy === undefined ? undefined : fields.asText('triggeredBy', triggeredBy, ID_LENGTH),
    triggerDepth:
      triggerDepth === undefined ? undefined : fields.asCount('triggerDepth', triggerDepth, TRIGGER_DEPTH),
    resumed: header['resumed'] === undefined ? undefined : fields.flag('resumed'),
    startedOn: startedOn === undefined ? undefined : fields.asText('startedOn', startedOn, NAME_LENGTH),
  };
}

/** Keys of serializers. */
export function readSerializerKeys(fields: FieldReader): string[] {
  return fields.texts('serializers', SERIALIZER_LENGTH, MOST_SERIALIZERS);
}

function readRemember(control: FieldReader): RememberControl {
  return {
    refresh: control.optional('refresh', (name) => control.flag(name)),
    maxAgeMs: control.optional('maxAgeMs', (name) => control.finite(name)),
    verifyRate: control.optional('verifyRate', (name) => control.finite(name)),
    outline: control.optional('outline', (name) => control.texts(name, PATH_LENGTH, 2 * OUTLINE_ENTRIES)),
  };
}
