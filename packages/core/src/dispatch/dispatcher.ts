import { toPlainError } from '../errors/error-conversion.js';
import type { PlainError } from '../errors/plain-error.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { LogLevel } from '../events/engine-event.js';
import { bodyOf, encodedOf, encodedOfParts, type Body } from '../model/body.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { RequestStart, RunCompletes, RunFails, RunHeader } from '../protocol/directives.js';
import type { ServiceLink } from './service-link.js';

/** Hears how a dispatched run goes on, before its outcome. */
export interface DispatchObserver {
  waiting(detail: string): void;
  retrying(attempt: number, error: PlainError): void;
  starting(attempt: number, worker: string): void;
  progress(done: number, total: number | undefined): void;
  log(level: LogLevel, message: string): void;
}

interface Pending {
  readonly observer: DispatchObserver;
  settle(outcome: Outcome): void;
}

/** Sends calls to the service as directives, and gives back the outcomes that come. */
export class Dispatcher {
  readonly #link: ServiceLink;
  readonly #pending = new Map<string, Pending>();

  constructor(link: ServiceLink) {
    this.#link = link;
    const observe = (run: RunHeader, tell: (observer: DispatchObserver) => void): void => {
      const pending = this.#pending.get(run.runId);
      if (pending) tell(pending.observer);
    };
    link.on('v1.routine.waiting', (run) =>
      observe(run, (to) => (run.error ? to.retrying(run.attempt, run.error) : to.waiting(run.detail))),
    );
    link.on('v1.routine.starting', (run) => observe(run, (to) => to.starting(run.attempt, run.worker)));
    link.on('v1.routine.progress', (run) => observe(run, (to) => to.progress(run.done, run.total)));
    link.on('v1.log', (run) => observe(run, (to) => to.log(run.level, run.message)));
    link.on('v1.routine.completed', (run, body) => this.#completed(run, body));
    link.on('v1.routine.failed', (run) => this.#failed(run));
    link.onLost((error) => this.#lose(error));
  }

  /** Has a call run somewhere. Never rejects. A cancelled call settles at once; its worker is told. */
  dispatch(call: EncodedCall, observer: DispatchObserver, cancel: CancelSignal): Promise<Outcome> {
    return new Promise((resolve) => {
      const stopListening = cancel.onCancel((reason) => {
        if (!this.#pending.has(call.runId)) return;
        const error = toPlainError(reason);
        this.#link.post({
          type: 'v1.routine.cancel',
          runId: call.runId,
          attempt: call.attempt,
          lease: 0,
          error,
        });
        settle({ status: 'CANCELLED', error });
      });
      const settle = (outcome: Outcome): void => {
        this.#pending.delete(call.runId);
        stopListening();
        resolve(outcome);
      };
      if (cancel.reason) return settle({ status: 'CANCELLED', error: toPlainError(cancel.reason) });
      this.#pending.set(call.runId, { observer, settle });
      const body = bodyOf(call.arguments);
      try {
        this.#link.send(requestOf(call, body), body);
      } catch (error) {
        settle({ status: 'FAILED', error: toPlainError(error) });
      }
    });
  }

  #completed(run: RunCompletes, body: Body | undefined): void {
    const pending = this.#pending.get(run.runId);
    if (!pending) return;
    const done = (value: Awaited<ReturnType<typeof encodedOf>>): void => {
      const { durationMs, rememberedIn } = run;
      pending.settle({
        status: 'DONE',
        value,
        durationMs,
        rememberedIn,
      });
    };
    // Its sizes were checked: there is a head.
    if (body?.parts) return done(encodedOfParts(body.parts));
    const read = body
      ? encodedOf(body)
      : Promise.reject(new RoutineEngineError('PROTOCOL_MALFORMED', 'A result came without its bytes'));
    read.then(done, (error: unknown) => pending.settle({ status: 'FAILED', error: toPlainError(error) }));
  }

  #failed(run: RunFails): void {
    this.#pending
      .get(run.runId)
      ?.settle({ status: run.cancelled ? 'CANCELLED' : 'FAILED', error: run.error });
  }

  #lose(error: Error): void {
    const plain = toPlainError(error);
    for (const pending of [...this.#pending.values()]) pending.settle({ status: 'FAILED', error: plain });
  }
}

function requestOf(call: EncodedCall, body: Body): RequestStart {
  const { runId, parentRunId, rootRunId, routineId, attempt, argumentsDigest, queueTimeoutMs } = call;
  return {
    type: 'v1.routine.request_start',
    runId,
    rootRunId,
    routineId,
    attempt,
    lease: 0,
    sizes: body.sizes,
    parentRunId,
    argumentsDigest,
    queueTimeoutMs,
  };
}
