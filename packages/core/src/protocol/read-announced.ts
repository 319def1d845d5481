import type { AnnouncedRun, RunsAnnounced } from './directives.js';
import { ID_LENGTH, NAME_LENGTH, type FieldReader } from './fields.js';

/** How many runs one directive tells of at most: so many fit into it, however long their ids are. */
export const ANNOUNCED_AT_ONCE = 500;

/** The runs that a node says it executes by itself. @throws `PROTOCOL_MALFORMED`, naming the field. */
export function readRunsAnnounced(fields: FieldReader): RunsAnnounced {
  return {
    type: 'v1.run.announced',
    started: fields.list(
      'started',
      (value) => announcedRun(fields.item('started', value)),
      ANNOUNCED_AT_ONCE,
    ),
    ended: fields.texts('ended', ID_LENGTH, ANNOUNCED_AT_ONCE),
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
