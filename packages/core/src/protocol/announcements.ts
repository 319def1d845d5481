import { ID_LENGTH, NAME_LENGTH, type FieldReader } from './fields.js';

/** A run that a node executes by itself. */
export interface AnnouncedRun {
  readonly runId: string;
  /** Full routine id. */
  readonly routineId: string;
  readonly rootRunId: string;
  readonly parentRunId?: string | undefined;
  /** In milliseconds since 1970 (UTC), by the clock of the node. */
  readonly startedAt: number;
}
/** node -> service: runs that it executes by itself began, or ended, so that they are seen. At most 500 of each. */
export interface RunsAnnounced {
  readonly type: 'v1.run.announced';
  readonly started: readonly AnnouncedRun[];
  /** Their run ids. */
  readonly ended: readonly string[];
}

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
