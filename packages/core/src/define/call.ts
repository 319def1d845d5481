import { ambientEngine } from '../context/ambient.js';
import { rejected } from '../context/rejected.js';
import { currentScope } from '../context/run-scope.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { formatRoutineId } from '../model/routine-id.js';
import type { RoutineCall } from '../ports/routine-engine.js';

/** One call of a routine by user code: handed to the engine of the scope it is made in. Never throws, but rejects. */
export function callRoutine(call: RoutineCall): Promise<unknown> {
  const scope = currentScope();
  const insideRun = scope?.kind !== undefined;
  if (scope?.kind === 'task') {
    const error = new RoutineEngineError(
      'TASK_CALLED_ROUTINE',
      `${scope.routineId} is a task and called ${formatRoutineId(call.id)}: a task is the smallest unit. ` +
        'Make the caller a workflow, or make what it calls a plain function',
    );
    return rejected(error, insideRun);
  }
  try {
    return (scope?.engine ?? ambientEngine()).run(call);
  } catch (error) {
    return rejected(error, insideRun);
  }
}
