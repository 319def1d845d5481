import type { Observable } from 'rxjs';
import { keyIsKnownByExecutor } from '../context/encode-call.js';
import { asAnswer, withName } from '../cache/answer-form.js';
import type { ResultMaker } from '../cache/kept-results.js';
import type { RememberedCall, ResultCache } from '../cache/result-cache.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import { RunAnnouncements } from '../dispatch/run-announcements.js';
import { ServiceInquiry } from '../dispatch/service-inquiry.js';
import type { ServiceLink } from '../dispatch/service-link.js';
import { fromPlainError } from '../errors/error-conversion.js';
import type { EngineEvent } from '../events/engine-event.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import { LIMITS } from '../model/limits.js';
import { parseRoutineId, type NamedRoutineId } from '../model/routine-id.js';
import type { Explanation, Provenance } from '../model/explanation.js';
import type { ReferenceData } from '../model/reference.js';
import type { WorkerStatus } from '../model/statuses.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { Clock } from '../ports/clock.js';
import type { ExecutionPolicy } from '../ports/execution-policy.js';
import type { Executor, Requester, RunHost } from '../ports/executor.js';
import type { CurrentRun, RoutineCall, RoutineEngine } from '../ports/routine-engine.js';
import type { RunHandle, Runs } from '../ports/runs.js';
import type { ActiveRuns, TriggeredAtClose } from './active-runs.js';
import { assembleEngine } from './assemble-engine.js';
import { ClusterRuns } from './cluster-runs.js';
import type { EngineParts } from './engine-parts.js';
import type { RequestPipeline } from './request-pipeline.js';
import type { RunDirectory } from './run-directory.js';
import type { ResultInspector } from './result-inspector.js';
import type { ValueCaller } from './value-caller.js';
import type { TriggerSource } from './trigger-table.js';
import { withCancel } from './with-cancel.js';

export interface RemoteDispatchEngineParts extends EngineParts {
  readonly link: ServiceLink;
  readonly policy: ExecutionPolicy;
  /** What runs bodies that stay here: background threads in a worker. Default: the calling thread. */
  readonly executor?: Executor;
  /** The triggers that its threads have loaded, beside `executor`. Default: those of this thread. */
  readonly triggers?: TriggerSource;
}

/**
 * Sends calls to the service as directives, as its policy says. In a worker it also runs what the service sends, on
 * background threads.
 * @public
 */
export class RemoteDispatchEngine implements RoutineEngine {
  readonly name = 'remote-dispatch';
  readonly status$: Observable<WorkerStatus>;
  readonly events$: Observable<EngineEvent>;
  readonly runs: Runs;
  readonly #active: ActiveRuns;
  readonly #directory: RunDirectory;
  readonly #caller: ValueCaller;
  readonly #inspector: ResultInspector;
  readonly #pipeline: RequestPipeline;
  readonly #executor: Executor;
  readonly #cache: ResultCache | undefined;
  readonly #triggeredAtClose: TriggeredAtClose;
  readonly #clock: Clock;
  #stopped: Promise<void> | undefined;

  constructor(parts: RemoteDispatchEngineParts) {
    const { policy, executor, triggers, clock } = parts;
    const dispatcher = new Dispatcher(parts.link, parts.contents);
    const watcher = new RunAnnouncements(clock, (directive) => parts.link.post(directive));
    parts.link.onGreeted(() => watcher.tellAgain());
    const assembled = assembleEngine(this, parts, { policy, dispatcher, executor, triggers, watcher });
    this.#active = assembled.active;
    this.#directory = assembled.directory;
    this.runs = new ClusterRuns(assembled.directory, new ServiceInquiry(parts.link), (run) =>
      assembled.caller.observe(run),
    );
    this.#clock = clock;
    // A worker hears of what it was given by itself; this is of what runs here and was announced.
    if (!executor)
      parts.link.on('v1.routine.cancel', ({ runId, error }) =>
        assembled.active.find(runId)?.cancellation.cancel(fromPlainError(error)),
      );
    this.#caller = assembled.caller;
    this.#inspector = assembled.inspector;
    this.#pipeline = assembled.pipeline;
    this.#executor = assembled.executor;
    this.#cache = parts.cache;
    // What a worker requests for the routines on its threads, the service has.
    this.#triggeredAtClose = executor ? 'leave' : { finishWithinMs: LIMITS.drainMs, clock };
    this.status$ = assembled.active.status$;
    this.events$ = parts.feed.events$;
  }

  get current(): readonly CurrentRun[] {
    return this.#active.current;
  }

  run(call: RoutineCall): Promise<unknown> {
    return this.#caller.run(call);
  }

  submit(call: RoutineCall): RunHandle<unknown> {
    return this.#caller.submit(call);
  }

  resolve(reference: ReferenceData): Promise<unknown> {
    return this.#caller.resolve(reference);
  }

  explain(call: RoutineCall): Promise<Explanation> {
    return this.#inspector.explain(call);
  }

  provenance(reference: ReferenceData): Promise<Provenance> {
    return this.#inspector.provenance(reference);
  }

  open(reference: ReferenceData): Promise<AsyncIterable<Uint8Array>> {
    return this.#caller.open(reference);
  }

  /** Has a sub-routine of an executed run answered, its value in memory save its streams. Never rejects. */
  request(call: EncodedCall, cancel: CancelSignal, requester?: Requester): Promise<Outcome> {
    return this.#pipeline.requestLoaded(call, cancel, requester).then(({ outcome }) => outcome);
  }

  /**
   * Runs what the service sent. The outcome comes after a result to be remembered is in the store.
   * @param maker - the routine and the node that run it.
   * @param mayBeKept - whether the store here may have a result that the requester does not know of, having another store, or
   *   since it came after the requester had looked.
   */
  execute(call: EncodedCall, maker: ResultMaker, host: RunHost, mayBeKept = false): Promise<Outcome> {
    const { argumentsDigest } = call;
    const cache = this.#cache;
    if (cache && argumentsDigest !== undefined)
      return this.#executeRemembered({ ...call, argumentsDigest }, maker, host, cache, mayBeKept);
    if (call.answer === undefined) return this.#executor.execute(call, host);
    return this.#executor
      .execute(call, cache ? withCancel(host, host.cancel, true) : host)
      .then((outcome) => cache?.keep(call, maker, outcome) ?? outcome)
      .then((outcome) => asAnswer(call, outcome));
  }

  shutdown(): Promise<void> {
    this.#directory.close();
    return (this.#stopped ??= this.#active
      .close(`the engine ${this.name}`, this.#triggeredAtClose)
      .then(() => this.#whenAccepted())
      .then(() => this.#executor.close()));
  }

  /** What is to outlive this process must have reached the service. */
  #whenAccepted(): Promise<void> {
    return new Promise((resolve) => {
      const late = this.#clock.after(LIMITS.drainMs, resolve);
      void this.#directory.whenAccepted().then(() => {
        late.cancel();
        resolve();
      });
    });
  }

  async #executeRemembered(
    call: RememberedCall,
    maker: ResultMaker,
    host: RunHost,
    cache: ResultCache,
    mayBeKept: boolean,
  ): Promise<Outcome> {
    const compute = async (cancel: CancelSignal, outline = call.remember?.outline): Promise<Outcome> => {
      const outcome = await this.#executor.execute(call, withCancel(host, cancel, true));
      return cache.keep({ ...call, remember: { ...call.remember, outline } }, maker, outcome);
    };
    const { version } = parseRoutineId(call.routineId) as NamedRoutineId;
    if (keyIsKnownByExecutor(version))
      return asAnswer(call, (await cache.remember(call, maker, host.cancel, compute)).outcome);
    // Not by way of calls in flight: the requester has one of its own, and may be this node, or one that waits for it. What
    // stands for the value is told as well: the requester needs it to name what it keeps itself.
    const stored = mayBeKept ? await cache.lookUp(withName(call), maker) : undefined;
    return asAnswer(call, stored ?? (await compute(host.cancel)));
  }
}
