import { toPlainError } from '../errors/error-conversion.js';
import type { Body } from '../model/body.js';
import type { RunCompletes } from '../protocol/directives.js';
import { completedFor } from '../protocol/forwarded.js';
import { WatchedBody } from '../protocol/watched-body.js';
import { failure } from './failure.js';
import type { RunRecord } from './run-record.js';

interface DeliveriesParts {
  /** All of a result has gone through, or its requester wants no more of it. */
  readonly onOver: (record: RunRecord) => void;
  /** The worker of a run can't send the rest of its result. */
  readonly onCut: (record: RunRecord, error: unknown) => void;
}

/** Passes results on to the requesters of runs. */
export class Deliveries {
  readonly #parts: DeliveriesParts;

  constructor(parts: DeliveriesParts) {
    this.#parts = parts;
  }

  /** Passes on a result that is all here, or is in no body. */
  pass(record: RunRecord, report: RunCompletes, body: Body | undefined): void {
    this.#answer(record, report, body && watched(record, body));
  }

  /** Passes a result on as it comes. Until it has come to its end it is the delivery of its run. */
  begin(record: RunRecord, report: RunCompletes, body: Body): void {
    const { onOver, onCut } = this.#parts;
    const ifCurrent = (act: () => void) => (): void => {
      if (record.delivery === delivery) act();
    };
    const delivery = new WatchedBody(body, {
      onEnd: ifCurrent(() => onOver(record)),
      onGivenUp: ifCurrent(() => onOver(record)),
      onFailed: (error) => ifCurrent(() => onCut(record, error))(),
    });
    record.delivery = delivery;
    this.#answer(record, report, delivery);
  }

  /** When the result can't be sent, the requester hears why. */
  #answer({ requester, request, attempt }: RunRecord, report: RunCompletes, body: Body | undefined): void {
    const { runId } = request;
    requester.post(completedFor(runId, report), body, (error) =>
      requester.post(failure(runId, attempt, toPlainError(error), false)),
    );
  }
}

/** A result of a worker in this process. Its parts in a store may be gone by the time that they are sent from here. */
function watched({ requester, request, attempt }: RunRecord, body: Body): Body {
  if (body.parts) return body;
  return new WatchedBody(body, {
    onFailed: (error) => requester.post(failure(request.runId, attempt, toPlainError(error), false)),
  });
}
