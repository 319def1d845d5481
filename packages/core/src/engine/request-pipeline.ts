import { keyIsKnownByExecutor } from '../context/encode-call.js';
import { asAnswer, isReady, withName } from '../cache/answer-form.js';
import type { Contents } from '../cache/contents.js';
import type { ResultMaker } from '../cache/kept-results.js';
import type { Answer, RememberedCall, ResultCache } from '../cache/result-cache.js';
import { Cancellation } from '../context/cancellation.js';
import type { Dispatcher, DispatchObserver, ObservedRun } from '../dispatch/dispatcher.js';
import { fromPlainError, toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { encodedBytes } from '../model/encoded.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import { parseRoutineId, type NamedRoutineId } from '../model/routine-id.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { ExecutionPolicy } from '../ports/execution-policy.js';
import type { Clock } from '../ports/clock.js';
import type { Executor, Requester, RunHost } from '../ports/executor.js';
import type { Ids } from '../ports/ids.js';
import type { Random } from '../ports/random.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';
import type { ActiveRuns } from './active-runs.js';
import type { PurityCheck } from './purity-check.js';
import { RequestedRun } from './requested-run.js';
import { withRetries } from './retries.js';
import type { RunEvents } from './run-events.js';
import { statusOf } from './status-of.js';
import type { KnownTrigger, TriggerTable } from './trigger-table.js';
import type { TriggeredRuns } from './triggered-runs.js';

export interface RequestPipelineParts {
  readonly cache: ResultCache | undefined;
  readonly contents: Contents;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: ExecutionPolicy;
  readonly executor: Executor;
  /** Absent: everything runs here. */
  readonly dispatcher: Dispatcher | undefined;
  readonly catalog: RoutineCatalog;
  readonly events: RunEvents;
  readonly active: ActiveRuns;
  readonly purity: PurityCheck;
  readonly triggers: TriggerTable;
  readonly triggered: TriggeredRuns;
  /** Whether everything that is asked for here comes from running routines, as in a worker. */
  readonly onlyNested: boolean;
}

/** One requested run on its way through cache, policy, and executor or service, to its outcome. */
export class RequestPipeline {
  readonly #parts: RequestPipelineParts;

  constructor(parts: RequestPipelineParts) {
    this.#parts = parts;
  }

  /** Whether there is a service, which keeps detached runs. */
  get keepsDetached(): boolean {
    return this.#parts.dispatcher !== undefined;
  }

  /** Where the policy wants a call to run; always here while there is no service. */
  place(routineId: string, nested: boolean, detached?: boolean): 'here' | 'remote' {
    const { dispatcher, policy, catalog, onlyNested } = this.#parts;
    if (!dispatcher) return 'here';
    // Here it would end with this process.
    if (detached) return 'remote';
    const id = parseRoutineId(routineId);
    const defined = id.form === 'name' && catalog.get(id) !== undefined;
    return policy.decide({ routineId, kind: id.kind, nested: nested || onlyNested, defined });
  }

  /**
   * Has a call answered: from the store, by an equal call in flight, here, or elsewhere. Never throws nor rejects: what
   * goes wrong, a policy that throws included, is a failed outcome. Tells its events from `run.requested` to exactly
   * one terminal one, over all attempts, and has triggers answer that.
   */
  request(call: EncodedCall, cancel: CancelSignal, requester?: Requester): Promise<Answer> {
    return new Promise((resolve) => this.ask(call, cancel, requester, resolve));
  }

  /**
   * As {@link RequestPipeline.request}, but calls back, once and later: on this path promises are what costs most.
   * @param done - must not throw.
   */
  ask(
    call: EncodedCall,
    cancel: CancelSignal,
    requester: Requester | undefined,
    done: (answer: Answer) => void,
  ): void {
    this.#ask(call, cancel, requester, this.#parts.triggers.watching(call.routineId), done);
  }

  #ask(
    call: EncodedCall,
    cancel: CancelSignal,
    requester: Requester | undefined,
    watching: readonly KnownTrigger[] | undefined,
    done: (answer: Answer) => void,
  ): void {
    const { active, events } = this.#parts;
    const asked = watching ? withName(call) : call;
    const parts = { events, active, isWatched: watching !== undefined };
    const run = new RequestedRun(asked, cancel, requester, parts);
    active.add(run);
    if (events.observed) {
      const { triggeredBy } = call;
      events.tell(run, { type: 'run.requested', ...(triggeredBy !== undefined && { triggeredBy }) });
    }
    const end = (answer: Answer): void => done(this.#finish(run, call, cancel, watching, answer));
    const { retry } = call;
    if (!retry) return this.#attempt(run, run.call, end);
    const attempt = (next: EncodedCall): Promise<Answer> =>
      new Promise((resolve) => this.#attempt(run, next, resolve));
    void withRetries(run, retry, requester, attempt, this.#parts).then(end, (error: unknown) =>
      end(failed(error)),
    );
  }

  /** @returns the answer in the form that was asked for. Never throws. */
  #finish(
    run: RequestedRun,
    call: EncodedCall,
    cancel: CancelSignal,
    watching: readonly KnownTrigger[] | undefined,
    { outcome, from }: Answer,
  ): Answer {
    const { active, purity } = this.#parts;
    try {
      const answer = { outcome: asAnswer(call, outcome), from };
      if (watching) this.#endWatched(run, { outcome: asAnswer(run.call, outcome), from }, watching);
      active.remove(run);
      run.onStatus?.(statusOf(outcome));
      if (!watching) this.#tellEnd(run, answer);
      if (from === 'store' && call.remember?.verifyRate)
        purity.check(
          call,
          answer,
          (again) => new Promise((resolve) => this.#ask(again, cancel, undefined, undefined, resolve)),
        );
      return answer;
    } catch (error) {
      return failed(error);
    }
  }

  /** The triggers' runs are requested while the run is still in hand, so that no shutdown comes between. */
  #endWatched(run: RequestedRun, answer: Answer, watching: readonly KnownTrigger[]): void {
    this.#tellEnd(run, answer);
    this.#parts.triggered.answer(run, answer, watching);
  }

  /** As {@link RequestPipeline.request}, everything of the value but its streams in memory. Never rejects. */
  requestLoaded(call: EncodedCall, cancel: CancelSignal, requester?: Requester): Promise<Answer> {
    return this.request(call, cancel, requester).then((answer) =>
      isReady(answer) ? answer : this.load(answer, call, cancel, requester),
    );
  }

  /**
   * The same answer, everything of its value but its streams in memory of the caller's own. When a part is lost, the call is
   * requested again, once. Never rejects.
   */
  async load(
    answer: Answer,
    call: EncodedCall,
    cancel: CancelSignal,
    requester?: Requester,
  ): Promise<Answer> {
    const loaded = await this.#tryLoad(answer, cancel);
    const isLost = answer.outcome.status === 'DONE' && loaded.outcome.status === 'FAILED';
    if (!isLost || cancel.reason) return loaded;
    const again = await this.requestAgain(call, fromPlainError(loaded.outcome.error), cancel, requester);
    return this.#tryLoad(again, cancel);
  }

  /** Requests a call again, by a run of its own, since its answer can't be read. A stored one is put aside before. */
  async requestAgain(
    call: EncodedCall,
    error: unknown,
    cancel: CancelSignal,
    requester?: Requester,
  ): Promise<Answer> {
    const { cache, ids } = this.#parts;
    if (cache && isRememberedCall(call)) await cache.discard(call, this.#makerOf(call), error);
    return this.request({ ...call, runId: ids.next(), detached: undefined }, cancel, requester);
  }

  /** How a detached run ends, whoever requested it, with everything of its value but its streams in memory. Never rejects. */
  async observe(run: ObservedRun, observer: DispatchObserver): Promise<Answer> {
    const { dispatcher } = this.#parts;
    if (!dispatcher)
      return failed(new RoutineEngineError('RUN_UNKNOWN', `There is no service to ask for ${run.runId}`));
    return this.#tryLoad(
      { outcome: await dispatcher.observe(run, observer), from: 'run' },
      new Cancellation(),
    );
  }

  async #tryLoad(answer: Answer, cancel: CancelSignal): Promise<Answer> {
    const { outcome, from } = answer;
    if (outcome.status !== 'DONE' || !outcome.value) return answer;
    try {
      const value = await this.#parts.contents.load(outcome.value, { signal: cancel.abortSignal });
      return { outcome: { ...outcome, value }, from };
    } catch (error) {
      const status = cancel.reason ? 'CANCELLED' : 'FAILED';
      return { outcome: { status, error: toPlainError(cancel.reason ?? error) }, from };
    }
  }

  #makerOf({ routineId }: EncodedCall): ResultMaker {
    return { sourceHash: this.#parts.catalog.get(parseRoutineId(routineId) as NamedRoutineId)?.sourceHash };
  }

  /** Never throws. */
  #attempt(run: RequestedRun, call: EncodedCall, done: (answer: Answer) => void): void {
    try {
      this.#answer(run, call, done);
    } catch (error) {
      void Promise.resolve(failed(error)).then(done);
    }
  }

  #answer(run: RequestedRun, call: EncodedCall, done: (answer: Answer) => void): void {
    const { cache } = this.#parts;
    const id = parseRoutineId(call.routineId);
    const where = this.place(call.routineId, call.parentRunId !== undefined, call.detached);
    const version = id.form === 'name' ? id.version : undefined;
    // What goes on without this process is looked up where it runs, so that the service knows it in any case.
    const isKeyKnown = !keyIsKnownByExecutor(version) && !call.detached;
    if (cache && isRememberedCall(call) && (where === 'here' || isKeyKnown)) {
      const maker = this.#makerOf(call);
      const compute = async (shared: CancelSignal, outline: readonly string[]): Promise<Outcome> => {
        const outlined = { ...call, remember: { ...call.remember, outline } };
        const worker = where === 'here' ? this.#parts.events.node : undefined;
        const outcome = await this.#compute(run, where, shared, outlined);
        return cache.keep(outlined, { ...maker, worker }, outcome);
      };
      return cache.answer(call, maker, run.cancellation, compute, done);
    }
    const computed = this.#compute(run, where, run.cancellation, call);
    // What was not to be remembered is kept for whoever gets the reference. Elsewhere, its worker has done so.
    const isToKeep = call.answer === 'both' || (call.answer === 'reference' && where === 'here');
    const kept =
      cache && isToKeep ? computed.then((outcome) => cache.keep(...keptForItself(call, outcome))) : computed;
    void kept.then(
      (outcome) => done({ outcome, from: 'run' }),
      (error: unknown) => done(failed(error)),
    );
  }

  #compute(
    run: RequestedRun,
    where: 'here' | 'remote',
    cancel: CancelSignal,
    call: EncodedCall,
  ): Promise<Outcome> {
    const { executor, dispatcher, events } = this.#parts;
    if (where === 'here' || !dispatcher) return executor.execute(call, this.#hostOf(run, cancel));
    run.isDetached = call.detached === true;
    if (events.observed)
      events.tell(run, { type: 'run.dispatched', byteLength: encodedBytes(call.arguments) });
    return dispatcher.dispatch(call, run, cancel);
  }

  /** What a run that is executed here may ask and tell. */
  #hostOf(run: RequestedRun, cancel: CancelSignal): RunHost {
    const { events, contents, active, cache } = this.#parts;
    return {
      cancel,
      // Then whatever has a node is kept.
      finishesNode: cache !== undefined,
      request: async (subCall, subCancel, requester) =>
        (await this.requestLoaded(subCall, subCancel, requester)).outcome,
      fetch: (reference) => contents.fetch(reference, { signal: cancel.abortSignal }),
      spool: (chunks) => contents.spool(chunks, { signal: cancel.abortSignal }),
      starting: () => {
        active.beginsHere(run);
        run.starting(run.attempt, events.node);
      },
      hanging: (waits) => run.hanging(waits),
      progress: (done, total) => run.progress(done, total),
      log: (level, message) => run.log(level, message),
    };
  }

  #tellEnd(run: RequestedRun, { outcome, from }: Answer): void {
    const { events } = this.#parts;
    if (outcome.status !== 'DONE')
      return events.tellFailure(run, outcome.error, outcome.status === 'CANCELLED');
    const byteLength = outcome.value ? encodedBytes(outcome.value) : (outcome.reference?.byteLength ?? 0);
    if (from !== 'run') return events.tellEnd(run, { type: 'run.cached', from, byteLength });
    events.tellEnd(run, {
      type: 'run.completed',
      byteLength,
      remembered: outcome.rememberedIn !== undefined,
      durationMs: outcome.durationMs,
    });
  }
}

function failed(error: unknown): Answer {
  return { outcome: { status: 'FAILED', error: toPlainError(error) }, from: 'run' };
}

/** Only who executed a version that still changes knows the key of what was remembered: here it is kept under its run. */
function keptForItself(call: EncodedCall, outcome: Outcome): [EncodedCall, ResultMaker, Outcome] {
  if (call.argumentsDigest === undefined || outcome.status !== 'DONE') return [call, {}, outcome];
  return [{ ...call, argumentsDigest: undefined }, {}, { ...outcome, rememberedIn: undefined }];
}

function isRememberedCall(call: EncodedCall): call is RememberedCall {
  return call.argumentsDigest !== undefined;
}
