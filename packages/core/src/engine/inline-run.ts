import type { Contents } from '../cache/contents.js';
import type { Cancellation } from '../context/cancellation.js';
import { asError, callBody } from '../context/execute-body.js';
import { beginsAnew } from '../context/recursion.js';
import { inScope, RunScope, type RunScopeParts, type SubRun } from '../context/run-scope.js';
import type { SubmittedRun } from '../context/submitted-run.js';
import type { RoutineDefinition } from '../model/routine-definition.js';
import type { Codec } from '../ports/codec.js';
import type { ActiveRun } from './active-runs.js';
import { isolateResult } from './isolate.js';
import type { EventRun } from './run-events.js';

/** What an {@link InlineRun} needs to copy its result for the caller. */
export interface InlineRunParts {
  readonly codec: Codec;
  readonly contents: Contents;
}

/** A run whose body gets the caller's values: scope, run in hand and run that events tell of at once. */
export class InlineRun extends RunScope implements ActiveRun, EventRun, SubRun {
  readonly cancellation: Cancellation;
  /** By the monotonic clock; it is not read while nobody listens. */
  readonly startedAt: number | undefined;
  status: ActiveRun['status'] = 'RUNNING';
  toldEnd = false;
  onStatus: ActiveRun['onStatus'];

  constructor(parts: RunScopeParts, cancellation: Cancellation, startedAt: number | undefined) {
    super(parts);
    this.cancellation = cancellation;
    this.startedAt = startedAt;
  }

  /** There is a handle to it. */
  beginAs(submitted: SubmittedRun): void {
    submitted.begin(this);
    submitted.tell(this.status);
    this.onStatus = (status) => submitted.tell(status);
  }

  /** Runs the body. One of the two is called back once, and later; the value is a copy for the caller. */
  execute(
    definition: RoutineDefinition,
    args: readonly unknown[],
    parts: InlineRunParts,
    resolve: (value: unknown) => void,
    reject: (error: Error) => void,
  ): void {
    const fail = (thrown: unknown): void => {
      this.end();
      reject(asError(thrown, this.routineId));
    };
    const finish = (value: unknown): void => {
      this.end();
      resolve(value);
    };
    this.#call(definition, args).then((returned) => {
      try {
        const result = this.#isolated(returned, parts);
        if (result instanceof Promise) result.then(finish, fail);
        else finish(result);
      } catch (error) {
        fail(error);
      }
    }, fail);
  }

  /** What the body gives or throws, as a promise: its own when it gives one. */
  #call(definition: RoutineDefinition, args: readonly unknown[]): Promise<unknown> {
    if (beginsAnew(this.depth)) return Promise.resolve().then(() => callBody(this, definition, args));
    try {
      return Promise.resolve(callBody(this, definition, args));
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  #isolated(result: unknown, { codec, contents }: InlineRunParts): unknown {
    // In the scope of the run, since the code behind its streams belongs to it.
    return isolateResult(result, {
      codec,
      spool: (chunks) => inScope(this, () => contents.spool(chunks, { signal: this.signal })),
    });
  }

  abandon(reason: Error): void {
    this.cancellation.cancel(reason);
  }
}
