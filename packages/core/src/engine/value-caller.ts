import type { Contents } from '../cache/contents.js';
import { isReady } from '../cache/answer-form.js';
import type { Answer } from '../cache/result-cache.js';
import { adopted, askEncoded, type EncodedAsk } from '../context/ask-encoded.js';
import { isAttended, isRemembered } from '../context/encode-call.js';
import { requesterOf } from '../context/requester.js';
import { makeRef } from '../context/ref.js';
import {
  currentRunScope,
  type RunScope,
  type ScopeEngine,
  type ScopeReporter,
} from '../context/run-scope.js';
import { runCall, submitCall, type CallTaker } from '../context/start-call.js';
import { statusOfFailure, SubmittedRun } from '../context/submitted-run.js';
import { snapshot } from '../codec/snapshot.js';
import { fromPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { DispatchObserver } from '../dispatch/dispatcher.js';
import type { EncodedCall } from '../model/call.js';
import type { RunInfo } from '../model/run-info.js';
import type { ReferenceData } from '../model/reference.js';
import { completeRoutineId, formatRoutineId, parseRoutineId, type RoutineId } from '../model/routine-id.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Requester } from '../ports/executor.js';
import type { Ids } from '../ports/ids.js';
import type { StoreCallOptions } from '../ports/result-store.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import type { ActiveRuns } from './active-runs.js';
import { findDefinition } from './find-definition.js';
import { contentOf } from '../context/content-of.js';
import { InlineRun } from './inline-run.js';
import { isolateArguments } from './isolate.js';
import type { RequestPipeline } from './request-pipeline.js';
import type { RunDirectory } from './run-directory.js';
import type { RunEvents } from './run-events.js';
import { statusOf } from './status-of.js';
import type { TriggerTable } from './trigger-table.js';

export interface ValueCallerParts {
  /** Whom bodies that run here call; its name is for messages. */
  readonly engine: ScopeEngine & { readonly name: string };
  readonly project: string;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly catalog: RoutineCatalog;
  readonly events: RunEvents;
  readonly active: ActiveRuns;
  readonly directory: RunDirectory;
  readonly pipeline: RequestPipeline;
  readonly contents: Contents;
  /** Whether results are remembered at all. */
  readonly remembers: boolean;
  readonly triggers: TriggerTable;
}

/** Whose value is decoded. */
interface ValueOf {
  readonly call: Pick<EncodedCall, 'argumentsDigest' | 'detached'>;
  /** What failed, for the stack of an error. */
  readonly where: string;
}

/** A call on its way by bytes. */
interface Asked extends ValueOf {
  readonly call: EncodedCall;
  readonly cancel: CancelSignal;
  readonly requester: Requester | undefined;
}

/** Answers the calls that user code makes in this thread, from the caller's values to a value of the caller's own. */
export class ValueCaller implements CallTaker {
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
          events.tell(scope as InlineRun, { type: waits ? 'run.hanging' : 'run.resumed' });
      },
      progress: (scope, done, total) =>
        events.tell(scope as InlineRun, {
          type: 'run.progress',
          done,
          ...(total !== undefined && { total }),
        }),
      log: (scope, level, message) => events.tell(scope as InlineRun, { type: 'run.log', level, message }),
    };
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  run(call: RoutineCall): Promise<unknown> {
    return runCall(this, call);
  }

  /** @throws what `run` rejects with before the run begins. */
  submit(call: RoutineCall): SubmittedRun {
    const { directory, pipeline } = this.#parts;
    const isDetached = call.options?.detached === true && pipeline.keepsDetached;
    const submitted: SubmittedRun = new SubmittedRun(() => directory.finish(submitted), isDetached);
    submitCall(this, call, submitted);
    directory.add(submitted);
    return submitted;
  }

  /** A handle to a detached run that the service knows, whoever submitted it. */
  observe(run: RunInfo): SubmittedRun {
    const { directory } = this.#parts;
    const observed: SubmittedRun = new SubmittedRun(() => directory.finish(observed));
    observed.begin(run);
    observed.tell(run.status);
    directory.add(observed);
    observed.follow(this.#observed(run, observed), observed.cancellation);
    return observed;
  }

  async #observed({ runId, routineId, rootRunId }: RunInfo, observed: SubmittedRun): Promise<unknown> {
    const run = { runId, routineId, rootRunId };
    const answer = await this.#parts.pipeline.observe(run, observerOf(observed));
    observed.tell(statusOf(answer.outcome));
    return this.#valueOf(answer, { call: { ...run, detached: true }, where: routineId }, true);
  }

  accept(call: RoutineCall, parent: RunScope | undefined): string {
    const { active, engine } = this.#parts;
    if (active.refuses(call.triggered?.triggerDepth ?? parent?.triggerDepth))
      throw closed(engine.name, `${formatRoutineId(call.id)} was called`);
    return this.#fullIdOf(call.id);
  }

  answer(ask: EncodedAsk): Promise<unknown> {
    return this.#isEncoded(ask) ? this.#runEncoded(ask) : this.#runInline(ask);
  }

  /** The value of a kept result, as the caller's own. */
  async resolve(reference: ReferenceData): Promise<unknown> {
    const { contents, codec } = this.#parts;
    const options = this.#reading(reference);
    const value = await contents.load(await contents.resolve(reference, options), options);
    return codec.decode(value, { reference: makeRef });
  }

  /** The bytes of a kept result that is nothing but bytes. */
  async open(reference: ReferenceData): Promise<AsyncIterable<Uint8Array>> {
    const { contents, codec } = this.#parts;
    const options = this.#reading(reference);
    return contentOf(await contents.resolve(reference, options), codec, reference, options);
  }

  /** The end of the run that reads a result ends the reading. @throws `LIFECYCLE_CLOSED` */
  #reading({ routineId }: ReferenceData): StoreCallOptions {
    const { active, engine } = this.#parts;
    const scope = currentRunScope();
    if (active.refuses(scope?.triggerDepth))
      throw closed(engine.name, `The result of ${routineId} was asked for`);
    return scope ? { signal: scope.signal } : {};
  }

  #isEncoded({ call, routineId, parent }: EncodedAsk): boolean {
    const { pipeline, remembers, triggers } = this.#parts;
    if (call.answer === 'reference' || (remembers && isRemembered(call)) || isAttended(call)) return true;
    // What a trigger answers, or starts, is known by more than its value.
    if (call.triggered || triggers.watching(routineId)) return true;
    return pipeline.place(routineId, parent !== undefined, call.options?.detached) === 'remote';
  }

  /** By way of the pipeline, which works on bytes. */
  #runEncoded(asked: EncodedAsk): Promise<unknown> {
    const { routineId, parent, control } = asked;
    const where = parent ? `${routineId}, called by ${parent.routineId}` : routineId;
    return askEncoded(asked, this.#parts, (views, resolve, reject) => {
      const args = snapshot(views.arguments);
      const call = args === views.arguments ? views : { ...views, arguments: args };
      const requester = requesterOf(asked.call, asked.submitted);
      this.#answer({ call, cancel: control.cancellation, where, requester }, resolve, reject);
    });
  }

  #answer(asked: Asked, resolve: (value: unknown) => void, reject: (error: Error) => void): void {
    const { pipeline } = this.#parts;
    const { call, cancel, requester } = asked;
    pipeline.ask(call, cancel, requester, (answer) => {
      if (!isReady(answer)) {
        const loading = pipeline.load(answer, call, cancel, requester);
        void loading.then((loaded) => this.#valueOrAgain(loaded, asked, true)).then(resolve, reject);
        return;
      }
      try {
        const value = this.#valueOrAgain(answer, asked, false);
        if (value instanceof Promise) void value.then(resolve, reject);
        else resolve(value);
      } catch (error) {
        reject(error as Error);
      }
    });
  }

  /** @returns a promise only when the call has to be requested again. */
  #valueOrAgain(answer: Answer, asked: Asked, isOwn: boolean): unknown {
    try {
      return this.#valueOf(answer, asked, isOwn);
    } catch (error) {
      if (answer.from !== 'store' || answer.outcome.status !== 'DONE') throw error;
      // Such as of a serializer that is gone.
      return this.#requestAgain(asked, error);
    }
  }

  /** By a run of its own: that of the call has ended with what was stored. */
  async #requestAgain(asked: Asked, error: unknown): Promise<unknown> {
    const { pipeline } = this.#parts;
    const { call, cancel, requester } = asked;
    const again = await pipeline.requestAgain(call, error, cancel, requester);
    return this.#valueOf(await pipeline.load(again, call, cancel, requester), asked, true);
  }

  /** @param isOwn - whether the bytes belong to this caller alone. */
  #valueOf({ outcome, from }: Answer, { call, where }: ValueOf, isOwn: boolean): unknown {
    if (outcome.status !== 'DONE') throw fromPlainError(outcome.error, { where });
    const { value, reference } = outcome;
    if (!value) return reference && makeRef(reference);
    return this.#parts.codec.decode(value, {
      // What the store or another caller holds too must not be changed through this caller's value.
      copy: call.detached || (!isOwn && (from !== 'run' || call.argumentsDigest !== undefined)),
      reference: makeRef,
    });
  }

  /** Not remembered and here: the body gets values without a detour over bytes. */
  #runInline(asked: EncodedAsk): Promise<unknown> {
    const { call, routineId, parent, control, submitted } = asked;
    const { codec, catalog, ids, active, engine, events, clock } = this.#parts;
    const definition = call.definition ?? findDefinition(catalog, parseRoutineId(routineId));
    const args = isolateArguments(call.args, codec);
    if (!args) return this.#runEncoded(asked);
    const cancel = control.cancellation;
    const run = new InlineRun(
      {
        engine,
        kind: definition.kind,
        routineId,
        parent,
        cancel,
        reporter: this.#reporter,
        ids,
        priority: call.options?.priority ?? definition.options.priority,
        isSubmitted: submitted !== undefined,
      },
      control.cancellation,
      events.observed ? clock.monotonic() : undefined,
    );
    active.add(run);
    active.beginsHere(run);
    if (submitted) run.beginAs(submitted);
    const settled = submitted ? adopted(parent, run, call) : parent?.waitFor(run);
    return control.settle(
      (resolve, reject) => {
        if (events.observed) {
          events.tell(run, { type: 'run.requested' });
          events.tell(run, { type: 'run.starting', worker: events.node });
        }
        run.execute(definition, args, this.#parts, resolve, reject);
      },
      (error) => {
        this.#tellEnd(run, error);
        active.remove(run);
        run.onStatus?.(error ? statusOfFailure(cancel.reason) : 'DONE');
        settled?.();
      },
    );
  }

  #tellEnd(run: InlineRun, error: Error | undefined): void {
    const { events, clock } = this.#parts;
    if (error) return events.tellFailure(run, error, run.cancel.reason !== undefined);
    const durationMs = run.startedAt === undefined ? 0 : clock.monotonic() - run.startedAt;
    events.tellEnd(run, { type: 'run.completed', byteLength: 0, remembered: false, durationMs });
  }

  #fullIdOf(id: RoutineId): string {
    let text = this.#fullIds.get(id);
    if (text === undefined) {
      const { catalog, project } = this.#parts;
      const full = id.form === 'name' ? completeRoutineId(id, { project }) : id;
      // Refuses an id that two functions have, one of which was defined since init.
      if (full.form === 'name') catalog.get(full);
      text = formatRoutineId(full);
      this.#fullIds.set(id, text);
    }
    return text;
  }
}

/** What a handle shows of a run that goes on elsewhere. */
function observerOf(observed: SubmittedRun): DispatchObserver {
  const nothing = (): void => undefined;
  return {
    ...{ accepted: nothing, waiting: nothing, progress: nothing, log: nothing },
    starting: () => observed.tell('RUNNING'),
    retrying: () => observed.tell('PENDING'),
  };
}

function closed(engine: string, what: string): RoutineEngineError {
  return new RoutineEngineError('LIFECYCLE_CLOSED', `${what} after ${engine} was shut down`);
}
