import type { Answer } from '../cache/result-cache.js';
import { makeRef } from '../context/ref.js';
import { inScope, type ScopeEngine } from '../context/run-scope.js';
import type { FinishedRun, FinishedRunBase } from '../define/trigger.js';
import { toPlainError } from '../errors/error-conversion.js';
import type { PlainError } from '../errors/plain-error.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EngineEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import { derivedRunId } from '../model/derived-run-id.js';
import { LIMITS } from '../model/limits.js';
import { statusWithoutValue } from '../model/statuses.js';
import type { TriggerWhen } from '../model/trigger.js';
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type { TriggeredRun } from '../ports/routine-engine.js';
import type { ActiveRuns } from './active-runs.js';
import type { RequestedRun } from './requested-run.js';
import type { KnownTrigger } from './trigger-table.js';

export interface TriggeredRunsParts {
  /** What the handlers' runs are requested of. */
  readonly engine: ScopeEngine;
  readonly active: ActiveRuns;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly feed: EventFeed<EngineEvent>;
  readonly node: string;
}

/** Has the handlers of triggers run. What becomes of them is told, and is no concern of the run that they answer. */
export class TriggeredRuns {
  readonly #parts: TriggeredRunsParts;

  constructor(parts: TriggeredRunsParts) {
    this.#parts = parts;
  }

  /** Requests the runs of the handlers that answer how a run ended, before it returns. Never throws. */
  answer(run: RequestedRun, answer: Answer, watching: readonly KnownTrigger[]): void {
    const when = whenOf(answer);
    if (!when) return;
    const triggers = watching.filter((trigger) => trigger.when.includes(when));
    if (triggers.length === 0) return;
    const finished = finishedRun(run, answer, when, this.#parts.clock.now());
    for (const trigger of triggers) this.#run(trigger, run, finished);
  }

  #run(trigger: KnownTrigger, { call }: RequestedRun, finished: FinishedRun<unknown>): void {
    const { engine, active } = this.#parts;
    const triggered: TriggeredRun = {
      runId: derivedRunId(call.runId, trigger.routineId),
      triggeredBy: call.runId,
      triggerDepth: (call.triggerDepth ?? 0) + 1,
    };
    if (triggered.triggerDepth > LIMITS.triggerDepth)
      return this.#failed(trigger, triggered, tooDeep(trigger));
    const { id, definition, options } = trigger;
    const routineCall = { id, definition, args: [finished], options, triggered };
    // Not in the scope of the caller: it is no sub-run of his.
    const running = inScope({ engine }, () => engine.run(routineCall));
    running.catch((error: unknown) => {
      if (!active.left) this.#failed(trigger, triggered, error as Error);
    });
  }

  #failed({ routineId }: KnownTrigger, { runId, triggeredBy }: TriggeredRun, error: Error): void {
    const { logger, feed, clock, node } = this.#parts;
    logger.log('warn', `The trigger ${routineId} of run ${triggeredBy} failed`, { error });
    if (!feed.observed) return;
    const happening = { type: 'trigger.failed', routineId, runId, triggeredBy } as const;
    feed.emit({ ...happening, at: clock.now(), node, error: toPlainError(error) });
  }
}

function whenOf({ outcome, from }: Answer): TriggerWhen | undefined {
  if (outcome.status === 'DONE') return from === 'run' ? 'completed' : 'cached';
  const status = statusWithoutValue(outcome.status === 'CANCELLED', outcome.error.code);
  return status === 'FAILED' ? 'failed' : undefined;
}

function finishedRun(
  { call, started }: RequestedRun,
  { outcome }: Answer,
  when: TriggerWhen,
  endedAt: number,
): FinishedRun<unknown> {
  const { runId, routineId, parentRunId, rootRunId, argumentsDigest } = call;
  const base: FinishedRunBase = {
    ...{ runId, routineId, rootRunId, endedAt, attempt: started?.attempt ?? call.attempt },
    ...(parentRunId !== undefined && { parentRunId }),
    ...(started && { startedAt: started.at, worker: started.worker }),
    ...(argumentsDigest !== undefined && { argumentsDigest }),
  };
  if (outcome.status !== 'DONE') return { ...base, when: 'failed', error: shortened(outcome.error) };
  const { reference } = outcome;
  const answered = when === 'cached' ? when : 'completed';
  return { ...base, when: answered, ...(reference && { result: makeRef(reference) }) };
}

/** An error that the arguments of a run can hold without becoming large, so that the service keeps them. */
function shortened(error: PlainError): PlainError {
  const { name, message, code } = error;
  const isShort = JSON.stringify(error).length <= LIMITS.triggerErrorLength;
  if (isShort) return error;
  return { name, message: message.slice(0, LIMITS.triggerErrorLength), ...(code !== undefined && { code }) };
}

function tooDeep({ routineId }: KnownTrigger): RoutineEngineError {
  return new RoutineEngineError(
    'TRIGGER_TOO_DEEP',
    `${routineId} would answer a run that ${LIMITS.triggerDepth} triggers, one after the other, led to: ` +
      'one of them leads back to itself',
  );
}
