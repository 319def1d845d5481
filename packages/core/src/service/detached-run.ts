import { readProperty } from '../errors/error-class.js';
import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { bodyOf, dropBody, encodedOf, encodedOfParts, type Body } from '../model/body.js';
import { LIMITS } from '../model/limits.js';
import { statusWithoutValue, type RunStatus } from '../model/statuses.js';
import type { Directive, RequestStart, RunCompletes, RunFails, RunStarts } from '../protocol/directives.js';
import { isStreaming } from '../protocol/watched-body.js';
import { failure } from './failure.js';
import type { NodeSession } from './node-session.js';
import type { RunRequester } from './run-requester.js';

/** What is known of a detached run before anything has become of it. */
export type DetachedRequest = Pick<RequestStart, 'runId' | 'routineId' | 'parentRunId' | 'rootRunId'>;

/** How a detached run ended. */
interface DetachedOutcome {
  readonly directive: RunCompletes | RunFails;
  /** In memory; absent when it gave no value. */
  readonly body: Body | undefined;
  readonly byteLength: number;
}

/**
 * A run that outlives who asked for it: the service stands in for its requester. Whoever asked for it, or asks how it ends, looks
 * on as long as he is there.
 */
export class DetachedRun implements RunRequester {
  readonly connections = 1;
  readonly isGone = false;
  /** What it is told it has. */
  readonly acknowledges = false;
  openRuns = 0;
  name = '';
  readonly request: DetachedRequest;
  readonly #onEnd: (observers: readonly NodeSession[]) => void;
  readonly #observers = new Set<NodeSession>();
  /** The node that asked for it, and has its arguments. */
  #origin: NodeSession | undefined;
  #started: RunStarts | undefined;
  /** Stands for the result that is being read: a later one takes its place. */
  #reading: object | undefined;
  #outcome: DetachedOutcome | undefined;

  /** @param onEnd - called with those who were told, each time that it has ended: one that failed may be requested again. */
  constructor(request: DetachedRequest, onEnd: (observers: readonly NodeSession[]) => void) {
    const { runId, routineId, parentRunId, rootRunId } = request;
    this.request = { runId, routineId, parentRunId, rootRunId };
    this.#onEnd = onEnd;
  }

  /** How it ended; absent until then. */
  get outcome(): DetachedOutcome | undefined {
    return this.#outcome;
  }

  /** All of its result has come, but is not read yet. */
  get isArriving(): boolean {
    return this.#reading !== undefined;
  }

  /** What it does, as far as it is known here: once it is over, or about to be. */
  get status(): RunStatus {
    const directive = this.#outcome?.directive;
    if (!directive) return 'RUNNING';
    return directive.type === 'v1.routine.completed'
      ? 'DONE'
      : statusWithoutValue(directive.cancelled, directive.error.code);
  }

  /** A node asks for it, and may be asked for its arguments. */
  requestedBy(node: NodeSession): void {
    this.name = node.name;
    if (!this.#outcome) this.#origin = node;
  }

  /** Tells a node how it ended, or, once it does, how it goes on and ends. @returns whether it is to be told more. */
  observe(node: NodeSession): boolean {
    if (this.#outcome) {
      tell(node, this.#outcome);
      return false;
    }
    this.#observers.add(node);
    if (this.#started) node.post(this.#started);
    return true;
  }

  /** A node is gone. */
  forget(node: NodeSession): void {
    this.#observers.delete(node);
    if (this.#origin === node) this.#origin = undefined;
  }

  /** It failed, and its requester wants a further attempt. */
  restart(): void {
    this.#outcome = undefined;
    this.#started = undefined;
  }

  post(directive: Directive, body?: Body): void {
    switch (directive.type) {
      case 'v1.routine.completed':
        return this.#complete(directive, body);
      case 'v1.routine.failed':
        return this.#end({ directive, body: undefined, byteLength: JSON.stringify(directive.error).length });
      case 'v1.routine.resend':
        // Nobody else has its arguments. As with any run, they are waited for.
        return this.#origin?.post(directive);
      default:
        if (directive.type === 'v1.routine.starting') this.#started = directive;
        for (const node of this.#observers) node.post(directive);
    }
  }

  #complete(directive: RunCompletes, body: Body | undefined): void {
    if (!body) return this.#end({ directive, body, byteLength: 0 });
    const { byteLength } = body;
    if (byteLength > LIMITS.detachedResultBytes) return this.#refuse(directive, body);
    if (!isStreaming(body)) return this.#end({ directive, body, byteLength });
    const reading = {};
    this.#reading = reading;
    const ifCurrent = (act: () => void): void => {
      if (this.#reading === reading) act();
    };
    encodedOf(body).then(
      // Whoever is told of it in this process must not take it for his own.
      ({ head, buffers }) =>
        ifCurrent(() =>
          this.#end({ directive, body: bodyOf(encodedOfParts([head, ...buffers])), byteLength }),
        ),
      (error: unknown) => ifCurrent(() => this.#failToRead(directive, error)),
    );
  }

  /** One that is cut by its worker is run again; what is not as it says will not be another time. */
  #failToRead({ runId, attempt }: RunCompletes, error: unknown): void {
    this.#reading = undefined;
    if (readProperty(error as object, 'code') === 'BYTES_MALFORMED')
      this.post(failure(runId, attempt, toPlainError(error), false));
  }

  #refuse({ runId, attempt }: RunCompletes, body: Body): void {
    const { routineId } = this.request;
    const message =
      `The result of ${routineId} has ${body.byteLength} bytes; of a detached run the service keeps at most ` +
      `${LIMITS.detachedResultBytes} (detachedResultBytes), beside parts in a store that its requester and workers share`;
    const error = toPlainError(new RoutineEngineError('RESULT_NOT_KEPT', message));
    this.post(failure(runId, attempt, error, false));
    dropBody(body);
  }

  #end(outcome: DetachedOutcome): void {
    // Such as of a result that came whole after its run was cancelled.
    if (this.#outcome) return;
    this.#reading = undefined;
    this.#outcome = outcome;
    const observers = [...this.#observers];
    this.#observers.clear();
    this.#origin = undefined;
    for (const node of observers) tell(node, outcome);
    this.#onEnd(observers);
  }
}

/** When the result can't be sent, the node hears why. */
function tell(node: NodeSession, { directive, body }: DetachedOutcome): void {
  const { runId, attempt } = directive;
  node.post(directive, body, (error) => node.post(failure(runId, attempt, toPlainError(error), false)));
}
