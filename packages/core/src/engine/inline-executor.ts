import { snapshot } from '../codec/snapshot.js';
import { executeBody } from '../context/execute-body.js';
import { beginsAnew } from '../context/recursion.js';
import { requestedOf, RunScope, type ScopeReporter } from '../context/run-scope.js';
import { toPlainError } from '../errors/error-conversion.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import { parseRoutineId, type RoutineId } from '../model/routine-id.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import { offeredRoutines } from '../define/offered-routines.js';
import { findDefinition } from './find-definition.js';
import { LIMITS } from '../model/limits.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { RunHost } from '../ports/executor.js';
import type { Ids } from '../ports/ids.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';
import type { ExecutorHost, WorkerExecutor } from '../ports/worker-executor.js';

/** What an {@link InlineExecutor} is made of. @public */
export interface InlineExecutorParts {
  readonly codec: Codec;
  readonly catalog: RoutineCatalog;
  readonly clock: Clock;
  readonly ids: Ids;
}

/**
 * Runs bodies in the calling thread. What they call goes to the engine that it was told of. A body that computes without a
 * pause holds up everything else of this thread.
 * @public
 */
export class InlineExecutor implements WorkerExecutor {
  readonly #parts: InlineExecutorParts;
  #engine: ExecutorHost['engine'] | undefined;

  constructor(parts: InlineExecutorParts) {
    this.#parts = parts;
  }

  /** Says which engine answers the calls that bodies make. */
  serve(engine: ExecutorHost['engine']): void {
    this.#engine = engine;
  }

  /** As the executor of a worker: serves its engine. @returns the routines of the catalog. @throws `ROUTINE_DUPLICATE` */
  async start({ engine, project }: ExecutorHost): Promise<readonly OfferedRoutine[]> {
    this.serve(engine);
    return offeredRoutines(this.#parts.catalog, project);
  }

  async execute(call: EncodedCall, host: RunHost): Promise<Outcome> {
    const { codec, catalog, clock } = this.#parts;
    // Such as while its result was looked up.
    const cancelled = host.cancel.reason;
    if (cancelled) return { status: 'CANCELLED', error: toPlainError(cancelled) };
    host.starting();
    try {
      if (beginsAnew(call.depth)) await Promise.resolve();
      const id = parseRoutineId(call.routineId);
      const definition = findDefinition(catalog, id);
      const scope = this.#scopeOf(call, host, id);
      const outcome = await this.#withinGrace(
        executeBody(scope, definition, call, {
          codec,
          clock,
          argumentsAreShared: true,
          finishesNode: host.finishesNode,
          fetch: (reference) => host.fetch(reference),
          spool: (chunks) => host.spool(chunks),
        }),
        host,
      );
      scope.end();
      // The body may keep what it returned and change it later.
      return outcome.status === 'DONE' && outcome.value
        ? { ...outcome, value: snapshot(outcome.value) }
        : outcome;
    } catch (error) {
      return { status: 'FAILED', error: toPlainError(error) };
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** A body that heeds its signal is waited for; one that does not can't be ended in this thread, only left alone. */
  #withinGrace(work: Promise<Outcome>, host: RunHost): Promise<Outcome> {
    return new Promise((resolve) => {
      let grace: Timer | undefined;
      const stopListening = host.cancel.onCancel((reason) => {
        const outcome: Outcome = { status: 'CANCELLED', error: toPlainError(reason) };
        grace = this.#parts.clock.after(LIMITS.cancelGraceMs, () => resolve(outcome));
      });
      void work.then((outcome) => {
        stopListening();
        grace?.cancel();
        resolve(outcome);
      });
    });
  }

  #scopeOf(call: EncodedCall, host: RunHost, id: RoutineId): RunScope {
    const { routineId } = call;
    return new RunScope({
      engine: this.#engine ?? unserved,
      kind: id.kind,
      routineId,
      cancel: host.cancel,
      reporter: reporterOf(host),
      ids: this.#parts.ids,
      requested: requestedOf(call),
    });
  }
}

const refuse = (): Promise<never> => Promise.reject(new Error('This executor serves no engine'));
const unserved: ExecutorHost['engine'] = {
  run: refuse,
  submit: () => {
    throw new Error('This executor serves no engine');
  },
  resolve: refuse,
  open: refuse,
};

/** Tells a host what a scope's body does. */
function reporterOf(host: RunHost): ScopeReporter {
  return {
    hanging: (_, waits) => host.hanging(waits),
    progress: (_, done, total) => host.progress(done, total),
    log: (_, level, message) => host.log(level, message),
  };
}
