import { RoutineEngineError } from './routine-engine-error.js';

/** Whether something could not be sent because there is no connection, and not for what it is. */
export function isClosed(error: unknown): boolean {
  return error instanceof RoutineEngineError && error.code === 'TRANSPORT_CLOSED';
}
