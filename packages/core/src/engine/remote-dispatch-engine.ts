import type { Observable } from 'rxjs';
import { keyIsKnownByExecutor } from '../context/encode-call.js';
import { asAnswer } from '../cache/answer-form.js';
import type { RememberedCall, ResultCache } from '../cache/result-cache.js';
import { Dispatcher } from '../dispatch/dispatcher.js';
import type { ServiceLink } from '../dispatch/service-link.js';
import type { EngineEvent } from '../events/engine-event.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import { parseRoutineId, type NamedRoutineId } from '../model/routine-id.js';
import type { ReferenceData } from '../model/reference.js';
import type { WorkerStatus } from '../model/statuses.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { ExecutionPolicy } from '../ports/execution-policy.js';
import type { Executor, RunHost } from '../ports/executor.js';
import type { CurrentRun, RoutineCall, RoutineEngine } from '../ports/routine-engine.js';
import type { ActiveRuns } from './active-runs.js';
import { assembleEngine } from './assemble-engine.js';
import type { EngineParts } from './engine-parts.js';
import type { RequestPipeline } from './request-pipeline.js';
import type { ValueCaller } from './value-caller.js';
import { withCancel } from './with-cancel.js';

export interface RemoteDispatchEngineParts extends EngineParts {
  readonly link: ServiceLink;
  readonly policy: ExecutionPolicy;
  /** What runs bodies that stay here: background threads in a worker. Default: the calling thread. */
  readonly executor?: Executor;
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
  readonly #active: ActiveRuns;
  readonly #caller: ValueCaller;
  readonly #pipeline: RequestPipeline;
  readonly #executor: Executor;
  readonly #cache: ResultCache | undefined;
  #stopped: Promise<void> | undefined;

  constructor(parts: RemoteDispatchEngineParts) {
    const { policy, executor } = parts;
    const dispatcher = new Dispatcher(parts.link, parts.contents);
    const assembled = assembleEngine(this, parts, { policy, dispatcher, executor });
    this.#active = assembled.active;
    this.#caller = assembled.caller;
    this.#pipeline = assembled.pipeline;
    this.#executor = assembled.executor;
    this.#cache = parts.cache;
    this.status$ = assembled.active.status$;
    this.events$ = parts.feed.events$;
  }

  get current(): readonly CurrentRun[] {
    return this.#active.current;
  }

  run(call: RoutineCall): Promise<unknown> {
    return this.#caller.run(call);
  }

  resolve(reference: ReferenceData): Promise<unknown> {
    return this.#caller.resolve(reference);
  }

  open(reference: ReferenceData): Promise<AsyncIterable<Uint8Array>> {
    return this.#caller.open(reference);
  }

  /** Has a sub-routine of an executed run answered, its value in memory save its streams. Never rejects. */
  request(call: EncodedCall, cancel: CancelSignal): Promise<Outcome> {
    return this.#pipeline.requestLoaded(call, cancel).then(({ outcome }) => outcome);
  }

  /**
   * Runs what the service sent. The outcome comes after a result to be remembered is in the store.
   * @param sourceHash - of the routine as it is here, for a `-dev` version.
   */
  execute(call: EncodedCall, sourceHash: string | undefined, host: RunHost): Promise<Outcome> {
    const { argumentsDigest } = call;
    const cache = this.#cache;
    if (cache && argumentsDigest !== undefined)
      return this.#executeRemembered({ ...call, argumentsDigest }, sourceHash, host, cache);
    if (call.answer === undefined) return this.#executor.execute(call, host);
    return this.#executor
      .execute(call, host)
      .then((outcome) => cache?.keep(call, sourceHash, outcome) ?? outcome)
      .then((outcome) => asAnswer(call, outcome));
  }

  shutdown(): Promise<void> {
    return (this.#stopped ??= this.#active
      .close(`the engine ${this.name}`)
      .then(() => this.#executor.close()));
  }

  async #executeRemembered(
    call: RememberedCall,
    sourceHash: string | undefined,
    host: RunHost,
    cache: ResultCache,
  ): Promise<Outcome> {
    const compute = async (cancel: CancelSignal): Promise<Outcome> =>
      cache.keep(call, sourceHash, await this.#executor.execute(call, withCancel(host, cancel)));
    const { version } = parseRoutineId(call.routineId) as NamedRoutineId;
    if (!keyIsKnownByExecutor(version)) return asAnswer(call, await compute(host.cancel));
    return asAnswer(call, (await cache.remember(call, sourceHash, host.cancel, compute)).outcome);
  }
}
