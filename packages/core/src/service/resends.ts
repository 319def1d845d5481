import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { dropBody } from '../model/body.js';
import { LIMITS } from '../model/limits.js';
import type { Clock } from '../ports/clock.js';
import type { RunRecord } from './run-record.js';

/** Runs whose arguments are gone, until their requesters have sent them again. */
export class Resends {
  readonly #clock: Clock;
  readonly #onMissing: (record: RunRecord, error: Error) => void;
  readonly #asked = new Set<RunRecord>();
  #isClosed = false;

  /** @param onMissing - hears of a run whose requester never sent them. */
  constructor(clock: Clock, onMissing: (record: RunRecord, error: Error) => void) {
    this.#clock = clock;
    this.#onMissing = onMissing;
  }

  /** Has the requester send the arguments again; the run is held until they come. */
  ask(record: RunRecord, asked: 'again' | 'inline'): void {
    dropBody(record.body);
    record.body = undefined;
    record.asked = asked;
    this.#asked.add(record);
    if (!this.#isClosed) record.queueTimer = this.#clock.after(LIMITS.resendMs, () => this.#late(record));
    this.askAgain(record);
  }

  /** Asks once more for what was asked for, and may not have been heard. */
  askAgain({ request, requester, asked, attempt }: RunRecord): void {
    if (!asked) return;
    const run = { runId: request.runId, attempt: attempt + 1, lease: 0 };
    requester.post({ type: 'v1.routine.resend', ...run, inline: asked === 'inline' });
  }

  /** They have come, or are not needed any more. */
  forget(record: RunRecord): void {
    if (!this.#asked.delete(record)) return;
    record.asked = undefined;
    record.queueTimer?.cancel();
  }

  /** Waits for nothing any more, also not for what is still asked for. */
  close(): void {
    this.#isClosed = true;
    for (const record of this.#asked) record.queueTimer?.cancel();
  }

  #late(record: RunRecord): void {
    this.forget(record);
    const message = `The arguments of ${record.request.routineId} were not sent again within ${LIMITS.resendMs} ms`;
    this.#onMissing(record, new RoutineEngineError('ARGUMENTS_MISSING', message));
  }
}
