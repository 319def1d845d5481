import type { Observable } from 'rxjs';
import type { ResultCache } from '../cache/result-cache.js';
import { Cancellation } from '../context/cancellation.js';
import { ServiceLink } from '../dispatch/service-link.js';
import { RemoteDispatchEngine } from '../engine/remote-dispatch-engine.js';
import { fromPlainError, toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EngineEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import { StateFeed } from '../events/state-feed.js';
import { bodyOf, encodedOf, encodedOfParts, type Body } from '../model/body.js';
import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import type { Outcome } from '../model/outcome.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import { statusOfCounts, type WorkerStatus } from '../model/statuses.js';
import { subRoutinesRemote } from '../policy/execution-policies.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { ExecutionPolicy } from '../ports/execution-policy.js';
import type { RunHost } from '../ports/executor.js';
import type { Ids } from '../ports/ids.js';
import type { Logger } from '../ports/logger.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';
import type { NodeIdentity } from '../ports/tokens.js';
import type { Transport } from '../ports/transport.js';
import type { RequestStart, RunHeader } from '../protocol/directives.js';
import type { ThreadOptions } from '../thread/background-thread.js';
import { ThreadExecutor } from '../thread/thread-executor.js';

/** What a worker is made of. @public */
export interface WorkerNodeParts {
  readonly identity: NodeIdentity;
  readonly transport: Transport;
  /** Where the service listens. */
  readonly address: string;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly feed: EventFeed<EngineEvent>;
  /** Routines of this process; those of the threads are loaded from `threads.modules`. */
  readonly catalog: RoutineCatalog;
  /** Absent: nothing is remembered. */
  readonly cache: ResultCache | undefined;
  /** Where calls of its runs go. Default {@link subRoutinesRemote}. */
  readonly policy?: ExecutionPolicy;
  readonly threads: ThreadOptions & {
    /** Runs that may compute at once, each on a thread of its own. Default 1. */
    readonly slots?: number;
    /** Short runs it takes beyond its slots, so that it never waits for the next. Default 128. */
    readonly inbox?: number;
  };
}

const DEFAULT_SLOTS = 1;
const DEFAULT_INBOX = 128;

/** A run that the service sent and that is not over. */
interface HeldRun {
  readonly run: RunHeader;
  readonly cancellation: Cancellation;
  hanging: boolean;
}

/** A worker: its link to the service, its engine, its background threads. It does not end by itself. @public */
export class WorkerNode {
  readonly name: string;
  readonly #parts: WorkerNodeParts;
  readonly #link: ServiceLink;
  readonly #executor: ThreadExecutor;
  readonly #engine: RemoteDispatchEngine;
  readonly #status = new StateFeed<WorkerStatus>('INITIALIZING');
  readonly #held = new Map<string, HeldRun>();
  readonly #slots: number;
  readonly #inbox: number;
  #routines: ReadonlyMap<string, OfferedRoutine> = new Map();
  #hanging = 0;
  #ending = false;
  #stopped: Promise<void> | undefined;

  /** Current status first, then each change. */
  readonly status$: Observable<WorkerStatus> = this.#status.state$;

  constructor(parts: WorkerNodeParts) {
    const { identity, clock, threads, policy = subRoutinesRemote } = parts;
    const { slots = DEFAULT_SLOTS, inbox = DEFAULT_INBOX, ...options } = threads;
    this.#parts = parts;
    this.name = identity.name;
    this.#slots = slots;
    this.#inbox = inbox;
    this.#executor = new ThreadExecutor({
      ...{ options, threads: slots, project: identity.project, clock },
      onExhausted: (error) => this.#exhausted(error),
    });
    this.#link = new ServiceLink({ ...parts, role: 'worker', node: identity.name });
    this.#engine = new RemoteDispatchEngine({ ...parts, link: this.#link, policy, executor: this.#executor });
    this.#link.on('v1.routine.request_start', (request, body) => this.#take(request, body));
    this.#link.on('v1.routine.cancel', (cancel) => {
      const held = this.#held.get(cancel.runId);
      if (held?.run.lease === cancel.lease) held.cancellation.cancel(fromPlainError(cancel.error));
    });
    this.#link.on('v1.heartbeat.check_pulse', () =>
      this.#link.post({ type: 'v1.heartbeat.give_pulse', status: this.#status.state }),
    );
    this.#link.onLost((error) => this.#end(error));
  }

  /**
   * Loads the routine modules, connects, and takes runs. When it fails nothing is left open.
   * @throws {@link RoutineEngineError} `ROUTINE_MODULE_FAILED`, `TRANSPORT_UNREACHABLE`, or why the service refused.
   */
  async start(): Promise<void> {
    try {
      const routines = await this.#executor.start();
      this.#routines = new Map(routines.map((routine) => [routine.routineId, routine]));
      await this.#link.open();
      this.#link.send({ type: 'v1.worker.ready', routines, slots: this.#slots, inbox: this.#inbox });
      this.#refresh();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Takes no more runs, gives those in hand back to the service, ends its threads and closes the connection. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#link.post({ type: 'v1.worker.draining' });
    this.#end(new RoutineEngineError('WORKER_LOST', `${this.name} shuts down`));
    await this.#engine.shutdown();
    await this.#link.close();
    this.#status.complete();
  }

  /** Cancels what it holds, and takes nothing any more. */
  #end(reason: Error): void {
    this.#setStatus('TERMINATING');
    this.#ending = true;
    for (const held of this.#held.values()) held.cancellation.cancel(reason);
  }

  /** No thread can be started any more: whatever came here would fail. */
  #exhausted(error: Error): void {
    this.#parts.logger.log('error', `${this.name} has no thread left, and takes no more runs`, { error });
    this.#link.post({ type: 'v1.worker.draining' });
    this.#end(new RoutineEngineError('WORKER_LOST', `${this.name} has no thread left`, { cause: error }));
  }

  #take(request: RequestStart, body: Body | undefined): void {
    const { runId, attempt, lease } = request;
    const run = { runId, attempt, lease };
    const refusal = this.#whyNot(request, body);
    if (refusal || !body) {
      const again = refusal?.code === 'WORKER_BUSY' ? 'busy' : 'no';
      const error = toPlainError(refusal);
      return this.#link.post({ type: 'v1.routine.failed', ...run, cancelled: false, again, error });
    }
    const held: HeldRun = { run, cancellation: new Cancellation(), hanging: false };
    this.#held.set(runId, held);
    this.#refresh();
    const outcome = body.parts
      ? this.#execute(held, request, encodedOfParts(body.parts))
      : encodedOf(body).then((args) => this.#execute(held, request, args));
    void outcome
      .catch((error: unknown): Outcome => ({ status: 'FAILED', error: toPlainError(error) }))
      .then((ended) => this.#settle(held, ended));
  }

  #execute(held: HeldRun, request: RequestStart, args: Encoded): Promise<Outcome> {
    const sourceHash = this.#routines.get(request.routineId)?.sourceHash;
    return this.#engine.execute(callOf(request, args), sourceHash, this.#hostOf(held));
  }

  #settle(held: HeldRun, outcome: Outcome): void {
    this.#held.delete(held.run.runId);
    if (held.hanging) this.#hanging -= 1;
    this.#report(held.run, outcome);
    this.#refresh();
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
    const computing = this.#held.size - this.#hanging;
    if (this.#ending || computing >= this.#slots + this.#inbox) {
      return new RoutineEngineError('WORKER_BUSY', `${this.name} has no slot for ${routineId}`);
    }
    return undefined;
  }

  #hostOf(held: HeldRun): RunHost {
    const { run } = held;
    return {
      cancel: held.cancellation,
      request: (call, cancel) => this.#engine.request(call, cancel),
      starting: () => this.#link.post({ type: 'v1.routine.starting', ...run, worker: this.name }),
      hanging: (waits) => {
        if (held.hanging === waits) return;
        held.hanging = waits;
        this.#hanging += waits ? 1 : -1;
        this.#link.post({ type: 'v1.routine.hanging', ...run, waits });
        this.#refresh();
      },
      progress: (done, total) => this.#link.post({ type: 'v1.routine.progress', ...run, done, total }),
      log: (level, message) => this.#link.post({ type: 'v1.log', ...run, level, message }),
    };
  }

  #report(run: RunHeader, outcome: Outcome): void {
    if (outcome.status !== 'DONE') {
      return this.#reportFailure(run, outcome);
    }
    const { durationMs, rememberedIn, value } = outcome;
    const body = bodyOf(value);
    const { sizes } = body;
    this.#link.post({ type: 'v1.routine.completed', ...run, sizes, durationMs, rememberedIn }, body);
  }

  #reportFailure(run: RunHeader, outcome: Exclude<Outcome, { status: 'DONE' }>): void {
    const { error } = outcome;
    const failed = { type: 'v1.routine.failed', ...run, error } as const;
    // What this worker cancels because it ends, nobody else wanted to be cancelled.
    if (outcome.status === 'CANCELLED') {
      const ended = error.code === 'WORKER_LOST' && this.#ending;
      return this.#link.post({ ...failed, cancelled: !ended, again: ended ? 'lost' : 'no' });
    }
    this.#link.post({ ...failed, cancelled: false, again: outcome.again ?? 'no' });
  }

  #refresh(): void {
    if (this.#ending) return;
    this.#setStatus(statusOfCounts({ running: this.#held.size - this.#hanging, hanging: this.#hanging }));
  }

  #setStatus(status: WorkerStatus): void {
    if (this.#status.state === status) return;
    this.#status.set(status);
    const { feed, clock } = this.#parts;
    if (!feed.observed) return;
    const running = this.#held.size - this.#hanging;
    const at = clock.now();
    feed.emit({
      type: 'worker.status',
      at,
      node: this.name,
      worker: this.name,
      status,
      running,
      hanging: this.#hanging,
    });
  }
}

function callOf(request: RequestStart, args: Encoded): EncodedCall {
  const { runId, parentRunId, rootRunId, routineId, attempt, argumentsDigest } = request;
  return {
    runId,
    rootRunId,
    routineId,
    attempt,
    arguments: args,
    parentRunId,
    argumentsDigest,
  };
}
