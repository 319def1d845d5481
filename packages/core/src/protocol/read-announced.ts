import type { AnnouncedRun, RunsAnnounced } from './directives.js';
import type { FieldReader } from './fields.js';

const ID_LENGTH = 64;
const NAME_LENGTH = 500;
const MOST_AT_ONCE = 500;

/** The runs that a node says it executes by itself. @throws `PROTOCOL_MALFORMED`, naming the field. */
export function readRunsAnnounced(fields: FieldReader): RunsAnnounced {
  return {
    type: 'v1.run.announced',
    started: fields.list('started', (value) => announcedRun(fields.item('started', value)), MOST_AT_ONCE),
    ended: fields.list('ended', (value) => runIdOf(fields, value), MOST_AT_ONCE),
  };
}

function announcedRun(fields: FieldReader): AnnouncedRun {
  return {
    runId: fields.text('runId', ID_LENGTH),
    routineId: fields.text('routineId', NAME_LENGTH),
    rootRunId: fields.text('rootRunId', ID_LENGTH),
    parentRunId: fields.optional('parentRunId', (name) => fields.text(name, ID_LENGTH)),
    startedAt: fields.finite('startedAt'),
  };
}

function runIdOf(fields: FieldReader, value: unknown): string {
  if (typeof value === 'string' && value.length <= ID_LENGTH) return value;
  return fields.refuse('ended', `a list of texts of at most ${ID_LENGTH}`);
}
