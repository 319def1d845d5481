import { ambientEngine } from '../context/ambient.js';
import { currentScope } from '../context/run-scope.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { CallOptions, RoutineDefinition } from '../model/routine-definition.js';
import { formatRoutineId } from '../model/routine-id.js';

/** One call of a routine by user code: handed to the engine of the scope it is made in. Never throws, but rejects. */
export function callRoutine(
  definition: RoutineDefinition,
  args: readonly unknown[],
  options: CallOptions | undefined,
): Promise<unknown> {
  const scope = currentScope();
  if (scope?.kind === 'task') {
    return Promise.reject(
      new RoutineEngineError(
        'TASK_CALLED_ROUTINE',
        `${scope.routineId} is a task and called ${formatRoutineId(definition.id)}: a task is the smallest unit. ` +
          'Make the caller a workflow, or make what it calls a plain function',
      ),
    );
  }
  try {
    return (scope?.engine ?? ambientEngine()).run({ id: definition.id, definition, args, options });
  } catch (error) {
    return Promise.reject(error as Error);
  }
}
