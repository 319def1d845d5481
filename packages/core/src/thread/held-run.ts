import { Cancellation } from '../context/cancellation.js';
import { fromPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { PlainError } from '../errors/plain-error.js';
import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import type { Outcome } from '../model/outcome.js';
import type { RunHost } from '../ports/executor.js';
import type { BackgroundThread } from './background-thread.js';
import { fromCallMessage, fromOutcomeMessage, toOutcomeMessage } from './conversions.js';
import type { CallMessage, ToHost } from './messages.js';

/** A run on a background thread, as its host sees it. */
export class HeldRun {
  /** Stands for it in the shared memory that tells who computes. */
  readonly number: number;
  readonly call: EncodedCall;
  readonly host: RunHost;
  readonly #thread: BackgroundThread;
  readonly #settled: (outcome: Outcome) => void;
  readonly #subRuns = new Map<string, Cancellation>();
  /** `waiting` in the thread's inbox, then `computing`, and `hanging` while it waits for sub-runs. */
  state: 'waiting' | 'computing' | 'hanging' = 'waiting';

  constructor(
    number: number,
    call: EncodedCall,
    host: RunHost,
    thread: BackgroundThread,
    settled: (outcome: Outcome) => void,
  ) {
    this.number = number;
    this.call = call;
    this.host = host;
    this.#thread = thread;
    this.#settled = settled;
  }

  /** Takes what the thread says of this run. */
  receive(message: ToHost, value: Encoded | undefined): void {
    switch (message.kind) {
      case 'starting':
        this.state = 'computing';
        return this.host.starting();
      case 'hanging':
        this.state = message.waits ? 'hanging' : 'computing';
        return this.host.hanging(message.waits);
      case 'progress':
        return this.host.progress(message.done, message.total);
      case 'log':
        return this.host.log(message.level, message.message);
      case 'request':
        return void this.#request(message.call, value);
      case 'settled':
        return this.settle(fromOutcomeMessage(message.outcome, value));
      default:
        return undefined;
    }
  }

  /** Cancels a sub-run whose caller waits no more. @returns whether it was one of this run's. */
  withdraw(subRunId: string, error: PlainError): boolean {
    const subRun = this.#subRuns.get(subRunId);
    subRun?.cancel(fromPlainError(error));
    return subRun !== undefined;
  }

  /** Ends the run. Sub-runs that nobody waits for any more are cancelled. */
  settle(outcome: Outcome): void {
    if (this.#subRuns.size > 0) {
      const reason = new RoutineEngineError(
        'RUN_CANCELLED',
        `${this.call.routineId} ended before its sub-run`,
      );
      for (const subRun of this.#subRuns.values()) subRun.cancel(reason);
      this.#subRuns.clear();
    }
    this.#settled(outcome);
  }

  async #request(message: CallMessage, args: Encoded | undefined): Promise<void> {
    const cancellation = new Cancellation();
    this.#subRuns.set(message.runId, cancellation);
    const outcome = await this.host.request(fromCallMessage(message, args), cancellation);
    this.#subRuns.delete(message.runId);
    this.#thread.send(
      { kind: 'answer', runId: message.runId, outcome: toOutcomeMessage(outcome) },
      outcome.status === 'DONE' ? outcome.value : undefined,
    );
  }
}
