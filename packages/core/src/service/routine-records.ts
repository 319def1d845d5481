import { createHash } from 'node:crypto';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import {
  formatRoutineId,
  isFullRoutineId,
  matchesRoutineId,
  parseRoutineId,
  type NamedRoutineId,
} from '../model/routine-id.js';

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
   * @param offered - full ids of what workers offer now: an id that leaves parts out stands for the one that fits.
   * @throws {@link RoutineEngineError} `ROUTINE_UNKNOWN` for a record id that was never given, or when nothing fits an id
   *   that is not full; `ROUTINE_VERSION_UNKNOWN` when several fit; `ROUTINE_ID_INVALID`.
   */
  resolve(requested: string, offered: Iterable<string>): string {
    const id = parseRoutineId(requested);
    if (id.form === 'name') return isFullRoutineId(id) ? requested : theOneThatFits(id, offered);
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

function theOneThatFits(id: NamedRoutineId, offered: Iterable<string>): string {
  const fitting = [...offered].filter((offer) => matchesRoutineId(id, parseRoutineId(offer)));
  const [first, second] = fitting;
  const text = formatRoutineId(id);
  if (first === undefined) {
    throw new RoutineEngineError(
      'ROUTINE_UNKNOWN',
      `No worker offers ${text}: give its full id to wait for one that does`,
    );
  }
  if (second === undefined) return first;
  throw new RoutineEngineError(
    'ROUTINE_VERSION_UNKNOWN',
    `${text} may be ${fitting.slice(0, 10).join(' or ')}: say which`,
  );
}
