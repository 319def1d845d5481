import { Cancellation } from '../context/cancellation.js';
import type { EncodedCall } from '../model/call.js';
import type { ResultKey } from '../model/result.js';
import type { Answer } from './result-cache.js';

/** Several calls of one key that share one run. It calls back, since each promise on the way of a hit costs a tenth of it. */
export class Flight {
  readonly key: ResultKey;
  /** The form in which its run was asked for; see {@link EncodedCall.answer}. */
  readonly form: EncodedCall['answer'];
  /** The limit of its run; who allows more, or less, has a run of his own. */
  readonly attemptTimeoutMs: EncodedCall['attemptTimeoutMs'];
  callers = 0;
  #cancellation: Cancellation | undefined;
  #waiting: ((answer: Answer) => void)[] = [];

  constructor(key: ResultKey, { answer, attemptTimeoutMs }: EncodedCall) {
    this.key = key;
    this.form = answer;
    this.attemptTimeoutMs = attemptTimeoutMs;
  }

  /** Of its run. Made when it is asked for: a hit has no run. */
  get cancellation(): Cancellation {
    return (this.#cancellation ??= new Cancellation());
  }

  /** @param listener - called once there is an answer; that of a flight in the table is still to come. */
  whenLanded(listener: (answer: Answer) => void): void {
    this.#waiting.push(listener);
  }

  land(answer: Answer): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const listener of waiting) listener(answer);
  }
}
