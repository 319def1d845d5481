import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Ref } from '../context/ref.js';
import type {
  CacheOptions,
  CallOptions,
  DefinitionOptions,
  RoutineDefinition,
} from '../model/routine-definition.js';
import { assertName, assertVersion, formatRoutineId, namedRoutineId } from '../model/routine-id.js';
import type { NamedRoutineId, RoutineKind } from '../model/routine-id.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import type { RunHandle } from '../ports/runs.js';
import { assertOptions } from './options.js';
import type { OrRefs } from './or-ref.js';
import { callRoutine, submitRoutine } from './call.js';
import { mapCalls, type MapOptions, type RoutineMap } from './map.js';
import { register } from './registry.js';
import { serializer } from './serializers.js';
import { placeOf, sourceHashOf } from './source.js';
import { trigger } from './trigger.js';

/** How a task is named. @public */
export interface TaskOptions<Args extends readonly unknown[] = never[]> extends DefinitionOptions {
  readonly cache?:
    | boolean
    | 'refresh'
    | (CacheOptions & { readonly key?: (...args: { [Index in keyof Args]: Args[Index] }) => unknown });
  /** A letter, then 1 to 199 letters, digits, `-`, `_` or `.`. */
  readonly name: string;
  /** `x.y.z`, immutable once released; or `x.y.z-dev` while the code still changes. */
  readonly version: string;
  /** Project it belongs to. Default: that of the lifecycle it runs in. */
  readonly project?: string;
}

/** How a workflow is named. @public */
export interface WorkflowOptions extends Omit<DefinitionOptions, 'cache'> {
  /** A letter, then 1 to 199 letters, digits, `-`, `_` or `.`. */
  readonly name: string;
  /** Project it belongs to. Default: that of the lifecycle it runs in. */
  readonly project?: string;
}

/** What calls a routine: like the function it was made from, but with a promise of its result. @public */
export interface RoutineCaller<Args extends readonly unknown[], Result> {
  /**
   * Runs it where the engine decides. Wherever a value is expected, also inside an argument, a {@link Ref} to one will do.
   * @throws what the body threw, wherever it ran; {@link RoutineEngineError} for everything else, such as
   *   `VALUE_NOT_ENCODABLE` for an argument that can't be carried.
   */
  (...args: OrRefs<Args>): Promise<Awaited<Result>>;
  /**
   * The same, but the result is kept where it is and comes as a {@link Ref}. Results of tasks are looked up and remembered
   * as always; others are kept for the reference only.
   * @throws what calling it throws; {@link RoutineEngineError} `REFERENCE_NOT_KEPT` when no store could keep the result.
   */
  readonly ref: (...args: OrRefs<Args>) => Promise<Ref<Awaited<Result>>>;
  /**
   * Starts a run and gives a handle to it at once; it goes on whether or not anybody waits for it. Inside a run it is a
   * sub-run and ends with that run, which does not hang until it asks for the result. With `detached` among the options it
   * outlives that run, and with a service also this process.
   * @throws {@link RoutineEngineError} at once, when the run can't begin, such as `VALUE_NOT_ENCODABLE`.
   */
  readonly submit: (...args: OrRefs<Args>) => RunHandle<Awaited<Result>>;
  /**
   * Runs it for every item, many at once, and gives the results one by one as they are taken: nothing is called before the
   * first is asked for, and at most `concurrency` calls are under way or wait to be taken, so that any number of items needs
   * the same memory. The first failure cancels the other calls, closes the items and is thrown, unless `settled` is asked
   * for; to leave early (`break`, `return`) cancels and closes in the same way.
   * @param items - each is the argument of one call; with `args`, what its arguments are made from.
   * @throws {@link RoutineEngineError} `OPTION_INVALID` at once.
   */
  readonly map: RoutineMap<Args, Awaited<Result>>;
}

/**
 * A routine: call it like the function it was made from. The call runs where the engine decides and gives a promise
 * of the body's result.
 * @public
 */
export interface Routine<Args extends readonly unknown[], Result> extends RoutineCaller<Args, Result> {
  /** The same routine with options for the calls made through it; they come on top of its own. */
  with(options: CallOptions): RoutineCaller<Args, Result>;
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
  options: TaskOptions<NoInfer<Args>>,
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
  options: DefinitionOptions,
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
  return Object.assign(callerOf<Args, Result>(id, definition, undefined), {
    kind,
    id: text,
    with(callOptions: CallOptions) {
      assertOptions(text, callOptions);
      return callerOf<Args, Result>(id, definition, callOptions);
    },
  });
}

/** What stands behind each caller. */
const callers = new WeakMap<object, (args: readonly unknown[]) => RoutineCall>();

/**
 * A call, not yet made.
 * @throws {@link RoutineEngineError} `OPTION_INVALID` for what is no routine.
 */
export function callOf(routine: object, args: readonly unknown[]): RoutineCall {
  const make = callers.get(routine);
  if (make) return make(args);
  throw new RoutineEngineError('OPTION_INVALID', 'What was given is no routine of this copy of the package');
}

function callerOf<Args extends readonly unknown[], Result>(
  id: NamedRoutineId,
  definition: RoutineDefinition,
  options: CallOptions | undefined,
): RoutineCaller<Args, Result> {
  const call = (...args: readonly unknown[]): Promise<unknown> =>
    callRoutine({ id, definition, args, options });
  const ref = (...args: readonly unknown[]): Promise<unknown> =>
    callRoutine({ id, definition, args, options, answer: 'reference' });
  callers.set(call, (args) => ({ id, definition, args, options }));
  const submit = (...args: readonly unknown[]): RunHandle<unknown> =>
    submitRoutine({ id, definition, args, options });
  const map = (
    items: Iterable<unknown> | AsyncIterable<unknown>,
    given: MapOptions<unknown> = {},
  ): AsyncIterableIterator<unknown> => mapCalls({ id, definition, options }, items, given);
  return Object.assign(call, { ref, submit, map }) as unknown as RoutineCaller<Args, Result>;
}

function describe(
  id: NamedRoutineId,
  body: RoutineDefinition['body'],
  options: DefinitionOptions,
): RoutineDefinition {
  const definedAt = placeOf(id.kind === 'task' ? task : workflow);
  return { kind: id.kind, id, body, options, sourceHash: sourceHashOf(body), definedAt };
}

/** Makes routines out of functions, has some answer the end of others, and says how class instances are carried. @public */
export const define: {
  readonly task: typeof task;
  readonly workflow: typeof workflow;
  readonly trigger: typeof trigger;
  readonly serializer: typeof serializer;
} = { task, workflow, trigger, serializer };
