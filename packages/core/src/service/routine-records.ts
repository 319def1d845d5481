import { createHash } from 'node:crypto';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { formatRoutineId, parseRoutineId } from '../model/routine-id.js';

/**
 * The ids that the service gives registered routines: `tdb:` or `wfdb:` and the first 32 hex digits of the SHA-256
 * of the full id, so that a routine keeps its id when the service starts again.
 */
export class RoutineRecords {
  readonly #routines = new Map<string, string>();

  /** @returns the record id of a full routine id. */
  register(routineId: string): string {
    const record = createHash('sha256').update(routineId).digest('hex').slice(0, 32);
    const id = formatRoutineId({ form: 'record', kind: parseRoutineId(routineId).kind, record });
    this.#routines.set(id, routineId);
    return id;
  }

  /** Record ids and the routines they stand for. */
  get all(): ReadonlyMap<string, string> {
    return this.#routines;
  }

  /**
   * The full id that a requested id stands for.
   * @throws {@link RoutineEngineError} `ROUTINE_UNKNOWN` for a record id that was never given; `ROUTINE_ID_INVALID`.
   */
  resolve(requested: string): string {
    if (parseRoutineId(requested).form === 'name') return requested;
    const routineId = this.#routines.get(requested);
    if (routineId === undefined) {
      throw new RoutineEngineError(
        'ROUTINE_UNKNOWN',
        `No routine was registered under the record id ${requested}`,
      );
    }
    return routineId;
  }
}
