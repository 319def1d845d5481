import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { BuiltPart } from './compose.js';

/**
 * Starts parts in the order they were built. When one fails, those that had started are stopped again.
 * @throws the failure itself when it is a RoutineEngineError, else `PLUGIN_START_FAILED` with the cause.
 */
export async function startAll(parts: readonly BuiltPart[]): Promise<void> {
  for (const [index, { plugin, part, value }] of parts.entries()) {
    try {
      await part.hooks.start?.(value);
    } catch (error) {
      const failures = await stopEach(parts.slice(0, index));
      throw startFailure(plugin, error, failures);
    }
  }
}

/**
 * Stops parts in reverse order, whatever becomes of each.
 * @throws {@link RoutineEngineError} `LIFECYCLE_STOP_FAILED`; its cause is an AggregateError of every failure.
 */
export async function stopAll(parts: readonly BuiltPart[]): Promise<void> {
  const failures = await stopEach(parts);
  if (failures.length === 0) return;
  const message = `${failures.length} of ${parts.length} parts did not stop cleanly: ${failures.map(String).join('; ')}`;
  throw new RoutineEngineError('LIFECYCLE_STOP_FAILED', message, {
    cause: new AggregateError(failures, message),
  });
}

async function stopEach(parts: readonly BuiltPart[]): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const { part, value } of parts.toReversed()) {
    try {
      await part.hooks.stop?.(value);
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

function startFailure(plugin: string, error: unknown, stopFailures: readonly unknown[]): Error {
  if (stopFailures.length === 0 && error instanceof RoutineEngineError) return error;
  const cause =
    stopFailures.length === 0 ? error : new AggregateError([error, ...stopFailures], 'start and stop failed');
  return new RoutineEngineError('PLUGIN_START_FAILED', `${plugin} could not start: ${String(error)}`, {
    cause,
  });
}
