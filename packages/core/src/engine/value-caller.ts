import { CallControl } from '../context/call-control.js';
import { encodeCall, isRemembered } from '../context/encode-call.js';
import { runBody } from '../context/execute-body.js';
import {
  currentRunScope,
  RunScope,
  type ScopeEngine,
  type ScopeReporter,
  type SubRun,
} from '../context/run-scope.js';
import type { Cancellation } from '../context/cancellation.js';
import { snapshot } from '../codec/snapshot.js';
import { fromPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { RoutineDefinition } from '../model/routine-definition.js';
import { completeRoutineId, formatRoutineId, type RoutineId } from '../model/routine-id.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Ids } from '../ports/ids.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import type { ActiveRun, ActiveRuns } from './active-runs.js';
import { findDefinition } from './find-definition.js';
import { isolate } from './isolate.js';
import type { RequestPipeline } from './request-pipeline.js';
import type { RunEvents } from './run-events.js';

export interface ValueCallerParts {
  /** Name of the engine, for messages. */
  readonly engine: string;
  readonly project: string;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly catalog: RoutineCatalog;
  readonly events: RunEvents;
  readonly active: ActiveRuns;
  readonly pipeline: RequestPipeline;
  /** Whether results are remembered at all. */
  readonly remembers: boolean;
}

/** Answers the calls that user code makes in this thread, from the caller's values to a value of the caller's own. */
export class ValueCaller implements ScopeEngine {
  readonly #parts: ValueCallerParts;
  readonly #fullIds = new WeakMap<RoutineId, string>();
  readonly #reporter: ScopeReporter;

  constructor(parts: ValueCallerParts) {
    this.#parts = parts;
    const { events, active } = parts;
    this.#reporter = {
      hanging: (scope, waits) => {
        active.setStatus(scope as InlineRun, waits ? 'HANGING' : 'RUNNING');
        if (events.observed && !scope.cancel.reason)
          events.tell(scope, { type: waits ? 'run.hanging' : 'run.resumed' });
      },
      progress: (scope, done, total) => {
        if (!scope.cancel.reason)
          events.tell(scope, { type: 'run.progress', done, ...(total !== undefined && { total }) });
      },
      log: (scope, level, message) => {
        if (!scope.cancel.reason) events.tell(scope, { type: 'run.log', level, message });
      },
    };
  }

  run(call: RoutineCall): Promise<unknown> {
    const { active, engine, clock } = this.#parts;
    let control: CallControl | undefined;
    try {
      if (active.closed) throw closed(engine, call);
      const routineId = this.#fullIdOf(call.id);
      const parent = currentRunScope();
      control = new CallControl(call, routineId, parent, clock);
      const { reason } = control.cancellation;
      if (reason) throw reason;
      return this.#isEncoded(call, routineId, parent)
        ? this.#runEncoded(call, routineId, parent, control)
        : this.#runInline(call, routineId, parent, control);
    } catch (error) {
      control?.release();
      return Promise.reject(error as Error);
    }
  }

  #isEncoded(call: RoutineCall, routineId: string, parent: RunScope | undefined): boolean {
    const { pipeline, remembers } = this.#parts;
    if (remembers && isRemembered(call)) return true;
    return pipeline.place(call.id, routineId, parent !== undefined) === 'remote';
  }

  /** By way of the pipeline, which works on bytes. */
  #runEncoded(
    call: RoutineCall,
    routineId: string,
    parent: RunScope | undefined,
    control: CallControl,
  ): Promise<unknown> {
    const { ids, codec, pipeline } = this.#parts;
    const runId = ids.next();
    const rootRunId = parent?.rootRunId ?? runId;
    const views = encodeCall(call, { runId, rootRunId, parentRunId: parent?.runId, routineId }, codec);
    const encoded = { ...views, arguments: snapshot(views.arguments) };
    const settled = parent?.waitFor({ runId, abandon: (reason) => control.cancellation.cancel(reason) });
    const work = pipeline.request(encoded, control.cancellation).then(({ outcome, from }) => {
      // What the store or another caller holds too must not be changed through this caller's value.
      if (outcome.status === 'DONE')
        return codec.decode(outcome.value, { copy: from !== 'run' || encoded.argumentsDigest !== undefined });
      throw fromPlainError(outcome.error, {
        where: parent ? `${routineId}, called by ${parent.routineId}` : routineId,
      });
    });
    return control.settle(work, settled);
  }

  /** Not remembered and here: the body gets values without a detour over bytes. */
  #runInline(
    call: RoutineCall,
    routineId: string,
    parent: RunScope | undefined,
    control: CallControl,
  ): Promise<unknown> {
    const { codec, catalog, ids, active } = this.#parts;
    const definition = call.definition ?? findDefinition(catalog, call.id);
    const args = isolate(call.args, 'args', codec);
    const run = new InlineRun(
      {
        engine: this,
        kind: definition.kind,
        routineId,
        parent,
        cancel: control.cancellation,
        reporter: this.#reporter,
        ids,
      },
      control.cancellation,
    );
    active.add(run);
    const settled = parent?.waitFor(run);
    return control.settle(this.#execute(run, definition, args), () => {
      if (control.cancellation.reason) this.#parts.events.tellFailure(run, control.cancellation.reason, true);
      active.remove(run);
      settled?.();
    });
  }

  async #execute(run: InlineRun, definition: RoutineDefinition, args: readonly unknown[]): Promise<unknown> {
    const { events, clock, codec } = this.#parts;
    const startedAt = events.observed ? clock.monotonic() : 0;
    if (events.observed) {
      events.tell(run, { type: 'run.requested' });
      events.tell(run, { type: 'run.starting', worker: events.node });
    }
    try {
      const value = isolate(await runBody(run, definition, args), 'result', codec);
      if (events.observed && !run.cancel.reason) {
        const durationMs = clock.monotonic() - startedAt;
        events.tell(run, { type: 'run.completed', byteLength: 0, remembered: false, durationMs });
      }
      return value;
    } catch (error) {
      if (!run.cancel.reason) events.tellFailure(run, error as Error, false);
      throw error;
    } finally {
      run.end();
    }
  }

  #fullIdOf(id: RoutineId): string {
    let text = this.#fullIds.get(id);
    if (text === undefined) {
      text = formatRoutineId(
        id.form === 'name' ? completeRoutineId(id, { project: this.#parts.project }) : id,
      );
      this.#fullIds.set(id, text);
    }
    return text;
  }
}

function closed(engine: string, call: RoutineCall): RoutineEngineError {
  return new RoutineEngineError(
    'LIFECYCLE_CLOSED',
    `${formatRoutineId(call.id)} was called after ${engine} was shut down`,
  );
}

/** A run whose body gets the caller's values: scope and run in hand at once. */
class InlineRun extends RunScope implements ActiveRun, SubRun {
  readonly cancellation: Cancellation;
  status: ActiveRun['status'] = 'RUNNING';

  constructor(parts: ConstructorParameters<typeof RunScope>[0], cancellation: Cancellation) {
    super(parts);
    this.cancellation = cancellation;
  }

  abandon(reason: Error): void {
    this.cancellation.cancel(reason);
  }
}
