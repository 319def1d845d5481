import { createHash } from 'node:crypto';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { CallOptions, RoutineDefinition, RoutineOptions } from '../model/routine-definition.js';
import {
  assertName,
  assertVersion,
  formatRoutineId,
  isDevelopmentVersion,
  namedRoutineId,
} from '../model/routine-id.js';
import type { NamedRoutineId, RoutineKind } from '../model/routine-id.js';
import { assertOptions } from './options.js';
import { callRoutine } from './call.js';
import { register } from './registry.js';
import { serializer } from './serializers.js';

/** How a task is named. @public */
export interface TaskOptions extends RoutineOptions {
  /** A letter, then 1 to 199 letters, digits, `-`, `_` or `.`. */
  readonly name: string;
  /** `x.y.z`, immutable once released; or `x.y.z-dev` while the code still changes. */
  readonly version: string;
  /** Project it belongs to. Default: that of the lifecycle it runs in. */
  readonly project?: string;
}

/** How a workflow is named. @public */
export interface WorkflowOptions extends Omit<RoutineOptions, 'cache'> {
  /** A letter, then 1 to 199 letters, digits, `-`, `_` or `.`. */
  readonly name: string;
  /** Project it belongs to. Default: that of the lifecycle it runs in. */
  readonly project?: string;
}

/**
 * A routine: call it like the function it was made from. The call runs where the engine decides and gives a promise
 * of the body's result.
 * @public
 */
export interface Routine<Args extends readonly unknown[], Result> {
  /**
   * @throws what the body threw, wherever it ran; {@link RoutineEngineError} for everything else, such as
   *   `VALUE_NOT_ENCODABLE` for an argument that can't be carried.
   */
  (...args: Args): Promise<Awaited<Result>>;
  /** The same routine with options for the calls made through it; they come on top of its own. */
  with(options: CallOptions): (...args: Args) => Promise<Awaited<Result>>;
  readonly kind: RoutineKind;
  /** Id as defined, such as `tname:train:0.0.1`. */
  readonly id: string;
}

/** @public */
export type Task<Args extends readonly unknown[], Result> = Routine<Args, Result> & { readonly kind: 'task' };
/** @public */
export type Workflow<Args extends readonly unknown[], Result> = Routine<Args, Result> & {
  readonly kind: 'workflow';
};

/**
 * Makes a task: a pure, deterministic function whose result is remembered by routine id, version and arguments.
 * It may not call routines (`TASK_CALLED_ROUTINE`).
 * @throws {@link RoutineEngineError} `ROUTINE_ID_INVALID`, `ROUTINE_VERSION_INVALID`, `ROUTINE_BODY_INVALID`,
 *   `OPTION_INVALID`; `ROUTINE_DUPLICATE` when another function has the same id.
 * @public
 */
function task<Args extends readonly unknown[], Result>(
  options: TaskOptions,
  body: (...args: Args) => Result,
): Task<Args, Result> {
  const { name, project, version, ...rest } = options;
  assertName('A task: name', name);
  assertVersion(`Task ${name}`, version);
  return makeRoutine('task', { name, project, version }, rest, body) as Task<Args, Result>;
}

/**
 * Makes a workflow: a function that orchestrates tasks and workflows. It is not remembered: run again, it finds the
 * results of its tasks.
 * @throws {@link RoutineEngineError} as {@link task} does.
 * @public
 */
function workflow<Args extends readonly unknown[], Result>(
  options: WorkflowOptions,
  body: (...args: Args) => Result,
): Workflow<Args, Result> {
  const { name, project, ...rest } = options;
  assertName('A workflow: name', name);
  return makeRoutine('workflow', { name, project }, rest, body) as Workflow<Args, Result>;
}

function makeRoutine<Args extends readonly unknown[], Result>(
  kind: RoutineKind,
  parts: { readonly name: string; readonly project?: string | undefined; readonly version?: string },
  options: RoutineOptions,
  body: (...args: Args) => Result,
): Routine<Args, Result> {
  const id = namedRoutineId({ kind, ...parts });
  const text = formatRoutineId(id);
  if (parts.project !== undefined) assertName(`${text}: project`, parts.project);
  if (typeof body !== 'function') {
    throw new RoutineEngineError(
      'ROUTINE_BODY_INVALID',
      `${text} was defined with ${typeof body} in place of a function`,
    );
  }
  assertOptions(text, options);
  const definition = describe(id, body as RoutineDefinition['body'], options);
  register(definition);
  const callWith = (args: Args, callOptions: CallOptions | undefined): Promise<Awaited<Result>> =>
    callRoutine({ id, definition, args, options: callOptions }) as Promise<Awaited<Result>>;
  return Object.assign((...args: Args) => callWith(args, undefined), {
    kind,
    id: text,
    with(callOptions: CallOptions) {
      assertOptions(text, callOptions);
      return (...args: Args) => callWith(args, callOptions);
    },
  });
}

function describe(
  id: NamedRoutineId,
  body: RoutineDefinition['body'],
  options: RoutineOptions,
): RoutineDefinition {
  const definedAt = callerOf(id.kind === 'task' ? task : workflow);
  return {
    kind: id.kind,
    id,
    body,
    options,
    ...(isDevelopmentVersion(id.version) && {
      sourceHash: createHash('sha256').update(Function.prototype.toString.call(body)).digest('hex'),
    }),
    definedAt,
  };
}

/** Where `define.task` or `define.workflow` was called: the first frame below them. */
function callerOf(definer: typeof task | typeof workflow): string | undefined {
  const where: { stack?: string } = {};
  Error.captureStackTrace(where, definer);
  const [, frame] = where.stack?.split('\n') ?? [];
  return frame
    ?.trim()
    .replace(/^at (?:.*\()?/, '')
    .replace(/\)$/, '');
}

/** Makes routines out of functions, and says how class instances are carried. @public */
export const define: {
  readonly task: typeof task;
  readonly workflow: typeof workflow;
  readonly serializer: typeof serializer;
} = { task, workflow, serializer };
