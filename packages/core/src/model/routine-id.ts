import { RoutineEngineError } from '../errors/routine-engine-error.js';

/** A task is pure and remembered; a workflow orchestrates tasks and workflows. @public */
export type RoutineKind = 'task' | 'workflow';

/**
 * `tname:[project:]task[:version]` or `wfname:[project:]workflow`. A missing part matches every value (a wildcard)
 * until it is filled in from context; on the wire ids are full.
 * @public
 */
export interface NamedRoutineId {
  readonly form: 'name';
  readonly kind: RoutineKind;
  readonly project?: string;
  readonly name: string;
  /** Tasks only: workflows are not remembered, so they need none. */
  readonly version?: string;
}

/** `tdb:{id}` or `wfdb:{id}`: the id that the service gave a registered routine. @public */
export interface RecordRoutineId {
  readonly form: 'record';
  readonly kind: RoutineKind;
  readonly record: string;
}

/** @public */
export type RoutineId = NamedRoutineId | RecordRoutineId;

/** What missing parts of an id are filled in from. @public */
export interface RoutineIdContext {
  readonly project?: string;
  readonly version?: string;
}

const NAME = /^[a-zA-Z][a-zA-Z0-9\-_.]{1,199}$/;
const VERSION = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-dev)?$/;
const RECORD = /^[a-zA-Z0-9-]{1,64}$/;
const PREFIXES = {
  tname: { form: 'name', kind: 'task' },
  wfname: { form: 'name', kind: 'workflow' },
  tdb: { form: 'record', kind: 'task' },
  wfdb: { form: 'record', kind: 'workflow' },
} as const;

/** Ids come again and again, and are few; a stranger who sends many must not fill the memory. */
const MOST_PARSED = 1_000;
const parsed = new Map<string, RoutineId>();

const invalid = (message: string): RoutineEngineError =>
  new RoutineEngineError('ROUTINE_ID_INVALID', message);

/** Checks the name of a routine or project: a letter, then 1 to 199 of letters, digits, `-`, `_`, `.`. */
export function assertName(what: string, name: unknown): asserts name is string {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw invalid(
      `${what} ${JSON.stringify(name)} is not a name: use a letter, then 1 to 199 letters, digits, '-', '_' or '.'`,
    );
  }
}

/** Checks a version: `x.y.z` (released, immutable) or `x.y.z-dev` (mutable). */
export function assertVersion(what: string, version: unknown): asserts version is string {
  if (typeof version !== 'string' || !VERSION.test(version)) {
    throw new RoutineEngineError(
      'ROUTINE_VERSION_INVALID',
      `${what} has the version ${JSON.stringify(version)}: use x.y.z, or x.y.z-dev while its code still changes`,
    );
  }
}

/** Whether a version is mutable, so that its results are kept apart by a hash of the source. @public */
export function isDevelopmentVersion(version: string | undefined): boolean {
  return version !== undefined && version.endsWith('-dev');
}

/**
 * Reads the text form of an id.
 * @throws {@link RoutineEngineError} `ROUTINE_ID_INVALID` or `ROUTINE_VERSION_INVALID`.
 * @public
 */
export function parseRoutineId(text: string): RoutineId {
  const known = parsed.get(text);
  if (known) return known;
  const id = Object.freeze(read(text));
  if (parsed.size >= MOST_PARSED) parsed.clear();
  parsed.set(text, id);
  return id;
}

function read(text: string): RoutineId {
  if (typeof text !== 'string' || text.length > 1_000)
    throw invalid('A routine id is a text of at most 1,000 characters');
  const [prefix = '', ...parts] = text.split(':');
  if (!Object.hasOwn(PREFIXES, prefix)) {
    throw invalid(`Routine id ${JSON.stringify(text)} starts with none of tname:, wfname:, tdb:, wfdb:`);
  }
  const { form, kind } = PREFIXES[prefix as keyof typeof PREFIXES];
  if (form === 'record') {
    const [record = ''] = parts;
    if (parts.length !== 1 || !RECORD.test(record))
      throw invalid(`Routine id ${JSON.stringify(text)} has no record id`);
    return { form, kind, record };
  }
  return readNamed(text, kind, parts);
}

function readNamed(text: string, kind: RoutineKind, parts: string[]): NamedRoutineId {
  const last = parts.at(-1) ?? '';
  // A version starts with a digit and a name never does, so `a:b` can only be project and routine.
  const version = kind === 'task' && parts.length > 1 && /^\d/.test(last) ? parts.pop() : undefined;
  const name = parts.pop();
  const project = parts.pop();
  if (parts.length > 0) throw invalid(`Routine id ${JSON.stringify(text)} has too many parts`);
  assertName(`Routine id ${JSON.stringify(text)}: routine`, name);
  if (project !== undefined) assertName(`Routine id ${JSON.stringify(text)}: project`, project);
  if (version !== undefined) assertVersion(`Routine id ${JSON.stringify(text)}`, version);
  return namedRoutineId({ kind, name, project, version });
}

/** Makes an id, leaving out what is undefined. */
export function namedRoutineId(parts: {
  readonly kind: RoutineKind;
  readonly name: string;
  readonly project?: string | undefined;
  readonly version?: string | undefined;
}): NamedRoutineId {
  return {
    form: 'name',
    kind: parts.kind,
    name: parts.name,
    ...(parts.project !== undefined && { project: parts.project }),
    ...(parts.version !== undefined && { version: parts.version }),
  };
}

/** The text form of an id; the inverse of {@link parseRoutineId}. @public */
export function formatRoutineId(id: RoutineId): string {
  if (id.form === 'record') return `${id.kind === 'task' ? 'tdb' : 'wfdb'}:${id.record}`;
  const parts = [id.kind === 'task' ? 'tname' : 'wfname'];
  if (id.project !== undefined) parts.push(id.project);
  parts.push(id.name);
  if (id.version !== undefined) parts.push(id.version);
  return parts.join(':');
}

/** Whether `id` is one of those that `pattern` stands for: parts missing on either side match. @public */
export function matchesRoutineId(pattern: RoutineId, id: RoutineId): boolean {
  if (pattern.kind !== id.kind) return false;
  if (pattern.form === 'record' || id.form === 'record') {
    return pattern.form === 'record' && id.form === 'record' && pattern.record === id.record;
  }
  return pattern.name === id.name && fits(pattern.project, id.project) && fits(pattern.version, id.version);
}

const fits = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || b === undefined || a === b;

/**
 * Fills the missing parts of an id in from its context.
 * @throws {@link RoutineEngineError} `ROUTINE_ID_CONTRADICTS` when a part that is there differs from the context.
 * @public
 */
export function completeRoutineId(id: NamedRoutineId, context: RoutineIdContext): NamedRoutineId {
  const version = id.kind === 'task' ? context.version : undefined;
  for (const [part, own, given] of [
    ['project', id.project, context.project],
    ['version', id.version, version],
  ] as const) {
    if (!fits(own, given)) {
      throw new RoutineEngineError(
        'ROUTINE_ID_CONTRADICTS',
        `${formatRoutineId(id)} names the ${part} '${own}', but it is used where the ${part} is '${given}'`,
      );
    }
  }
  return namedRoutineId({ ...id, project: id.project ?? context.project, version: id.version ?? version });
}

/** Whether an id is full: project and, for a task, version are there. @public */
export function isFullRoutineId(id: NamedRoutineId): boolean {
  return id.project !== undefined && (id.kind === 'workflow' || id.version !== undefined);
}
