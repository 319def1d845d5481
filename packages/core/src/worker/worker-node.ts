import type { Observable } from 'rxjs';
import type { Contents } from '../cache/contents.js';
import type { ResultCache } from '../cache/result-cache.js';
import { ServiceLink } from '../dispatch/service-link.js';
import { RemoteDispatchEngine } from '../engine/remote-dispatch-engine.js';
import { triggersOffered, type KnownTrigger } from '../engine/trigger-table.js';
import { fromPlainError, toPlainError } from '../errors/error-conversion.js';
import { isClosed } from '../errors/is-closed.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EngineEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import { StateFeed } from '../events/state-feed.js';
import { dropBody, type Body } from '../model/body.js';
import type { Encoded } from '../model/encoded.js';
import type { Outcome } from '../model/outcome.js';
import { LIMITS } from '../model/limits.js';
import { isLabels, LABELS_WANTED, type Labels } from '../model/labels.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import { statusOfCounts, type WorkerStatus } from '../model/statuses.js';
import { subRoutinesRemote } from '../policy/execution-policies.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { ExecutionPolicy } from '../ports/execution-policy.js';
import type { Ids } from '../ports/ids.js';
import type { Logger } from '../ports/logger.js';
import type { Random } from '../ports/random.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';
import type { NodeIdentity } from '../ports/tokens.js';
import type { Transport } from '../ports/transport.js';
import type { WorkerExecutor } from '../ports/worker-executor.js';
import type { RequestStart, RunHeader, WorkerReady } from '../protocol/directives.js';
import { argumentsAtHand, loadArguments } from './load-arguments.js';
import { Beginnings } from './beginnings.js';
import { Grace } from './grace.js';
import { HeldRuns, type WorkerCounts } from './held-runs.js';
import { callOf, toldOf } from './requests.js';
import { WorkerRun, type WorkerRunParts } from './worker-run.js';

/** What a worker is made of. @public */
export interface WorkerNodeParts {
  readonly identity: NodeIdentity;
  readonly transport: Transport;
  /** Where the service listens. */
  readonly address: string;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly logger: Logger;
  readonly feed: EventFeed<EngineEvent>;
  /** Routines of this process: those that the executor runs may be others. */
  readonly catalog: RoutineCatalog;
  readonly contents: Contents;
  /** Absent: nothing is remembered. */
  readonly cache: ResultCache | undefined;
  /** Where calls of its runs go. Default {@link subRoutinesRemote}. */
  readonly policy?: ExecutionPolicy;
  /** Runs the bodies, such as a {@link ThreadExecutor}. The worker's own: it is started and closed with it. */
  readonly executor: WorkerExecutor;
  /** Runs that may compute at once. Default 1. */
  readonly slots?: number;
  /** Short runs it takes beyond its slots, so that it never waits for the next. Default 128. */
  readonly inbox?: number;
  /** `false`: it is seen by the service, with what it offers, and gets no runs. Default `true`. */
  readonly acceptsWork?: boolean;
  /** What runs may require of this worker, such as `{ gpu: 'a100' }`. Default: none. */
  readonly labels?: Labels;
}

const DEFAULT_SLOTS = 1;
const DEFAULT_INBOX = 128;

/** A worker: its link to the service, its engine, the executor of its runs. It does not end by itself. @public */
export class WorkerNode {
  readonly name: string;
  readonly #parts: WorkerNodeParts;
  readonly #link: ServiceLink;
  readonly #executor: WorkerExecutor;
  readonly #engine: RemoteDispatchEngine;
  readonly #status = new StateFeed<WorkerStatus>('INITIALIZING');
  readonly #held = new HeldRuns();
  readonly #runParts: WorkerRunParts;
  readonly #slots: number;
  readonly #inbox: number;
  readonly #labels: Labels | undefined;
  readonly #acceptsWork: boolean;
  #routines: ReadonlyMap<string, OfferedRoutine> = new Map();
  #triggers: readonly KnownTrigger[] = [];
  /** Takes no more runs. */
  #isDraining = false;
  #grace: Grace | undefined;
  /** Gives back what it holds. */
  #ending = false;
  #stopped: Promise<void> | undefined;

  /** Current status first, then each change. */
  readonly status$: Observable<WorkerStatus> = this.#status.state$;

  /** @throws {@link RoutineEngineError} `OPTION_INVALID` for labels that are none. */
  constructor(parts: WorkerNodeParts) {
    const { identity, executor, policy = subRoutinesRemote } = parts;
    const { slots = DEFAULT_SLOTS, inbox = DEFAULT_INBOX, labels } = parts;
    assertLabels(identity.name, labels);
    this.#parts = parts;
    this.name = identity.name;
    this.#slots = slots;
    this.#inbox = inbox;
    this.#labels = labels;
    this.#acceptsWork = parts.acceptsWork ?? true;
    this.#executor = executor;
    this.#link = new ServiceLink({
      ...parts,
      ...{ role: 'worker', node: identity.name, reconnectForMs: Number.POSITIVE_INFINITY },
      status: () => this.#status.state,
    });
    // Before the engine says what its runs ask for: it may ask for nothing as long as the service does not know them.
    this.#link.onGreeted(() => this.#register());
    const triggers = (): readonly KnownTrigger[] => this.#triggers;
    this.#engine = new RemoteDispatchEngine({ ...parts, link: this.#link, policy, executor, triggers });
    this.#runParts = {
      worker: this.name,
      link: this.#link,
      engine: this.#engine,
      contents: parts.contents,
      beginnings: new Beginnings(parts.clock),
      onHanging: (waits) => {
        this.#held.countHanging(waits);
        this.#refresh();
      },
    };
    this.#link.on('v1.routine.request_start', (request, body) => this.#take(request, body));
    this.#link.on('v1.routine.cancel', ({ lease, error }) => this.#held.cancel(lease, fromPlainError(error)));
    this.#link.on('v1.routine.ack', ({ runs }) => runs.forEach(({ lease }) => this.#held.forget(lease)));
    this.#link.on('v1.routine.report_again', (again) => this.#reportAgain(again));
    this.#link.onLost((error) => this.#end(error));
  }

  get counts(): WorkerCounts {
    return this.#held.counts;
  }

  /**
   * Loads the routine modules, connects, and takes runs. When it fails nothing is left open.
   * @throws {@link RoutineEngineError} `ROUTINE_MODULE_FAILED`, `TRANSPORT_UNREACHABLE`, or why the service refused.
   */
  async start(): Promise<void> {
    try {
      const routines = await this.#executor.start({
        project: this.#parts.identity.project,
        slots: this.#slots,
        engine: this.#engine,
        onExhausted: (error) => this.#exhausted(error),
      });
      this.#routines = new Map(routines.map((routine) => [routine.routineId, routine]));
      this.#triggers = triggersOffered(routines);
      await this.#link.open();
      this.#refresh();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Tells a service that may know nothing of this worker what it holds and what it can run. */
  #register(): void {
    for (const told of this.#held.told()) this.#link.send(told);
    const store = this.#link.sharesMemory ? undefined : this.#parts.contents.sharedStore;
    const routines = [...this.#routines.values()].map(toldOf);
    const [slots, inbox, labels] = [this.#slots, this.#inbox, this.#labels];
    const ready: WorkerReady = { type: 'v1.worker.ready', routines, slots, inbox, store, labels };
    const { serializers } = this.#executor;
    this.#link.send({ ...ready, serializers, ...(!this.#acceptsWork && { acceptsWork: false }) });
    if (this.#isDraining || this.#ending) this.#link.post({ type: 'v1.worker.draining' });
  }

  /**
   * Takes no more runs, lets those in hand end, gives the rest back to the service, which places them elsewhere, and closes
   * its executor and the connection. A second call gives the same promise, and ends the grace at once.
   * @param options - `graceMs`: how long runs in hand may go on, in milliseconds. Default 0: they are given back at once.
   */
  stop({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> {
    this.#grace?.end();
    return (this.#stopped ??= this.#stop(graceMs));
  }

  async #stop(graceMs: number): Promise<void> {
    this.#link.post({ type: 'v1.worker.draining' });
    this.#setStatus('TERMINATING');
    this.#isDraining = true;
    this.#grace = this.#graceOf(graceMs);
    await this.#grace.over;
    this.#end(new RoutineEngineError('WORKER_LOST', `${this.name} shuts down`));
    await this.#engine.shutdown();
    // The service was told of every run: a result may still be on its way into the store.
    await this.#graceOf(LIMITS.drainMs).over;
    await this.#link.close();
    this.#status.complete();
  }

  #graceOf(milliseconds: number): Grace {
    return new Grace(this.#parts.clock, milliseconds, (then) => this.#held.whenEmpty(then));
  }

  /** Cancels what it holds, and takes nothing any more. */
  #end(reason: Error): void {
    this.#setStatus('TERMINATING');
    this.#isDraining = true;
    this.#ending = true;
    this.#held.cancelAll(reason);
  }

  /** Nothing can be run any more: whatever came here would fail. */
  #exhausted(error: Error): void {
    this.#parts.logger.log('error', `${this.name} has no thread left, and takes no more runs`, { error });
    this.#link.post({ type: 'v1.worker.draining' });
    this.#end(new RoutineEngineError('WORKER_LOST', `${this.name} has no thread left`, { cause: error }));
  }

  #take(request: RequestStart, body: Body | undefined): void {
    const run = new WorkerRun(request, this.#runParts);
    const refusal = this.#whyNot(request, body);
    if (refusal || !body) {
      dropBody(body);
      run.fail(toPlainError(refusal), refusal?.code === 'WORKER_BUSY' ? 'busy' : 'no', false);
      return this.#held.keep(run);
    }
    this.#held.take(run, () => this.#begin(run, request, body));
    this.#refresh();
  }

  #begin(run: WorkerRun, request: RequestStart, body: Body): void {
    const here = argumentsAtHand(request, body);
    const outcome = here
      ? this.#execute(run, request, here)
      : loadArguments(request, body, this.#parts.contents, run.cancel.abortSignal).then((args) =>
          this.#execute(run, request, args),
        );
    outcome.then(
      (ended) => this.#settle(run, ended),
      (error: unknown) => this.#settle(run, failureOf(run, error)),
    );
  }

  #execute(run: WorkerRun, request: RequestStart, args: Encoded): Promise<Outcome> {
    const maker = { sourceHash: this.#routines.get(request.routineId)?.sourceHash, worker: this.name };
    // Nobody has looked for the result of a detached run. That of another may have come since its requester looked: a worker
    // that was lost right after it had put it there, or one that runs it for a client that is gone, told nobody who asks now.
    const mayBeKept = request.detached || !this.#link.sharesMemory;
    return this.#engine.execute(callOf(request, args), maker, run, mayBeKept);
  }

  #settle(run: WorkerRun, outcome: Outcome): void {
    const sharing = run.report(outcome, () => this.#ending);
    if (sharing) void sharing.then(() => this.#release(run));
    else this.#release(run);
  }

  #release(run: WorkerRun): void {
    this.#held.release(run);
    this.#refresh();
  }

  #reportAgain({ runId, attempt, lease }: RunHeader): void {
    const kept = this.#held.kept(lease);
    if (kept) return kept.reportAgain();
    // Its report is still to come.
    if (this.#held.has(lease)) return;
    const error = new RoutineEngineError('WORKER_LOST', `${this.name} no longer has the outcome of ${runId}`);
    const run = { runId, attempt, lease, cancelled: false };
    this.#link.post({ type: 'v1.routine.failed', ...run, again: 'lost', error: toPlainError(error) });
  }

  #whyNot(request: RequestStart, body: Body | undefined): RoutineEngineError | undefined {
    const { routineId } = request;
    if (!body) return new RoutineEngineError('PROTOCOL_MALFORMED', `${routineId} came without arguments`);
    if (!this.#routines.has(routineId)) {
      const there = [...this.#routines.keys()].slice(0, 20).join(', ');
      return new RoutineEngineError(
        'ROUTINE_UNKNOWN',
        `${this.name} does not offer ${routineId}; it offers ${there}`,
      );
    }
    if (this.#isDraining || !this.#acceptsWork || this.#held.running >= this.#slots + this.#inbox) {
      return new RoutineEngineError('WORKER_BUSY', `${this.name} has no slot for ${routineId}`);
    }
    return undefined;
  }

  #refresh(): void {
    if (this.#isDraining) return;
    const { running, hanging } = this.#held;
    this.#setStatus(statusOfCounts({ running, hanging }));
  }

  #setStatus(status: WorkerStatus): void {
    if (this.#status.state === status) return;
    this.#status.set(status);
    const { feed, clock } = this.#parts;
    if (!feed.observed) return;
    const { running, hanging } = this.#held;
    const { name } = this;
    feed.emit({ type: 'worker.status', at: clock.now(), node: name, worker: name, status, running, hanging });
  }
}

function assertLabels(worker: string, labels: unknown): void {
  if (labels === undefined || isLabels(labels)) return;
  throw new RoutineEngineError('OPTION_INVALID', `${worker}: its labels must be ${LABELS_WANTED}`);
}

/** What a run comes to whose arguments, or whose engine, failed. */
function failureOf(run: WorkerRun, error: unknown): Outcome {
  const { reason } = run.cancel;
  if (reason) return { status: 'CANCELLED', error: toPlainError(reason) };
  // Its arguments were cut by the loss of a connection, here or at the requester: they can be had again.
  return { status: 'FAILED', error: toPlainError(error), ...(isClosed(error) && { again: 'lost' }) };
}
