import { inspect } from 'node:util';
import type { Ref } from '../context/ref.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { PlainError } from '../errors/plain-error.js';
import {
  assertName,
  formatRoutineId,
  matchesRoutineId,
  namedRoutineId,
  parseRoutineId,
  type NamedRoutineId,
  type RoutineKind,
} from '../model/routine-id.js';
import { TRIGGER_WHENS, type HandlerOptions, type TriggerWhen } from '../model/trigger.js';
import { assertOptions } from './options.js';
import { register } from './registry.js';
import { placeOf, sourceHashOf } from './source.js';

/** What is known of every run that a trigger answers. @public */
export interface FinishedRunBase {
  readonly runId: string;
  /** Full routine id, such as `tname:news:train:0.0.1`. */
  readonly routineId: string;
  /** The run that called it; absent for a root. */
  readonly parentRunId?: string;
  readonly rootRunId: string;
  /** The execution that counted: 1 for the first. */
  readonly attempt: number;
  /** When its body began to run, in milliseconds since 1970 (UTC), by the clock of the node that requested it; absent when it did not. */
  readonly startedAt?: number;
  /** When its end was known, by the same clock. */
  readonly endedAt: number;
  /** Name of the node that ran the body; absent when none did. */
  readonly worker?: string;
  /** Canonical digest of its arguments; present when its result is remembered. */
  readonly argumentsDigest?: string;
}

/** A run that gave a value. @public */
export interface AnsweredRun<Result> extends FinishedRunBase {
  readonly when: 'completed' | 'cached';
  /** Its result, which stays where it is kept. Absent when no store could keep it. */
  readonly result?: Ref<Result>;
}

/** A run that failed. @public */
export interface FailedRun extends FinishedRunBase {
  readonly when: 'failed';
  /** Why, as the events have it. A very long one is cut to name, message and code. */
  readonly error: PlainError;
}

/** What the handler of a trigger gets. @public */
export type FinishedRun<Result, When extends TriggerWhen = TriggerWhen> = When extends 'failed'
  ? FailedRun
  : AnsweredRun<Result> & { readonly when: When };

/** A routine as far as a trigger needs it. @public */
export interface WatchedRoutine<Result> {
  (...args: never[]): Promise<Result>;
  readonly id: string;
  readonly kind: RoutineKind;
}

/**
 * Which runs a trigger answers, and how. Time limits and such are those of the handler's runs.
 * @public
 */
export interface TriggerOptions<Result, When extends TriggerWhen> extends HandlerOptions {
  /** A routine, or an id such as `tname:train`: a missing version means every one, a missing project that of the lifecycle. */
  readonly on: WatchedRoutine<Result> | string;
  readonly when: When | readonly When[];
  /** Which of those runs: asked in the handler's run, before the handler. Default: all. */
  readonly filter?: (finished: FinishedRun<Result, When>) => boolean | Promise<boolean>;
  /** Name of the workflow that the handler runs as. Default: `on-`, the routine's name, and `when`, such as `on-train-completed`. */
  readonly name?: string;
  /** Project of that workflow. Default: that of the lifecycle it runs in. */
  readonly project?: string;
}

/** A trigger, as it was defined. @public */
export interface Trigger {
  /** Id of the workflow that its handler runs as, such as `wfname:on-train-completed`. */
  readonly id: string;
  /** Id of the routines whose runs it answers. */
  readonly on: string;
  readonly when: readonly TriggerWhen[];
}

/**
 * Has a function run whenever a run of a routine has ended. It runs as a workflow of its own, under a run id that follows
 * from the run that ended, at least once; so it should do no harm when it runs twice. What becomes of it changes nothing
 * for the run that ended. A trigger is in force in every program that has loaded it: define it beside its routine.
 * @throws {@link RoutineEngineError} `ROUTINE_ID_INVALID`, `ROUTINE_BODY_INVALID`; `OPTION_INVALID` also for a trigger that
 *   would answer its own handler; `ROUTINE_DUPLICATE` when another has the same name.
 * @public
 */
export function trigger<Result, const When extends TriggerWhen>(
  options: TriggerOptions<Result, When>,
  handler: (finished: FinishedRun<Result, When>) => unknown,
): Trigger {
  const { on, when, filter, name, project, ...rest } = options;
  const rule = { on: watchedId(on), when: whensOf(when), options: rest };
  const named = name ?? `on-${rule.on.name}-${rule.when.join('-')}`;
  assertName('A trigger: name', named);
  const id = namedRoutineId({ kind: 'workflow', name: named, project });
  const text = formatRoutineId(id);
  if (project !== undefined) assertName(`${text}: project`, project);
  assertFunctions(text, handler, filter);
  assertOptions(text, rest);
  assertPlain(text, rest.retries);
  if (matchesRoutineId(rule.on, id))
    throw invalid(`${text} is a trigger on its own handler, and would never end`);
  register({
    kind: 'workflow',
    id,
    body: async (finished: FinishedRun<Result, When>): Promise<void> => {
      if (filter && !(await filter(finished))) return;
      await handler(finished);
    },
    // The result comes as a reference, and is fetched by whoever wants it.
    options: { keepRefs: true },
    sourceHash: filter ? sourceHashOf(filter, handler) : sourceHashOf(handler),
    definedAt: placeOf(trigger),
    trigger: rule,
  });
  return { id: text, on: formatRoutineId(rule.on), when: rule.when };
}

function watchedId(on: unknown): NamedRoutineId {
  const text = typeof on === 'function' ? (on as { readonly id?: unknown }).id : on;
  if (typeof text !== 'string')
    throw invalid(`A trigger: on is ${inspect(on)}; it must be a routine or a routine id`);
  const id = parseRoutineId(text);
  if (id.form === 'name') return id;
  throw invalid(`A trigger: on is ${text}, the id of a record; it must be a routine or an id with a name`);
}

function whensOf(when: unknown): readonly TriggerWhen[] {
  const whens: readonly unknown[] = Array.isArray(when) ? when : [when];
  const known = TRIGGER_WHENS.filter((each) => whens.includes(each));
  if (known.length > 0 && known.length === whens.length) return known;
  const wanted = TRIGGER_WHENS.map((each) => `'${each}'`).join(', ');
  throw invalid(`A trigger: when is ${inspect(when)}; it must be one or more of ${wanted}, each once`);
}

function assertFunctions(text: string, handler: unknown, filter: unknown): void {
  if (typeof handler !== 'function') {
    const message = `The trigger ${text} was defined with ${typeof handler} in place of a function`;
    throw new RoutineEngineError('ROUTINE_BODY_INVALID', message);
  }
  if (filter !== undefined && typeof filter !== 'function')
    throw invalid(`${text}: filter is ${inspect(filter)}; it must be a function`);
}

function assertPlain(text: string, retries: object | number | undefined): void {
  if (typeof retries === 'object' && 'retryIf' in retries)
    throw invalid(
      `${text}: retries.retryIf is a function, and whoever requests the run of a handler may not have it`,
    );
}

function invalid(message: string): RoutineEngineError {
  return new RoutineEngineError('OPTION_INVALID', message);
}
