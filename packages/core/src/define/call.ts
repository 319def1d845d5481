import { ambientEngine } from '../context/ambient.js';
import { rejected } from '../context/rejected.js';
import { currentScope, type ScopeEngine } from '../context/run-scope.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { formatRoutineId } from '../model/routine-id.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import type { RunHandle } from '../ports/runs.js';

/** One call of a routine by user code: handed to the engine of the scope it is made in. Never throws, but rejects. */
export function callRoutine(call: RoutineCall): Promise<unknown> {
  const scope = currentScope();
  try {
    assertAwaitable(call);
    return engineOf(scope, call).run(call);
  } catch (error) {
    return rejected(error, scope?.kind !== undefined);
  }
}

/** The same without waiting for it. @throws at once what `callRoutine` rejects with before the run begins. */
export function submitRoutine(call: RoutineCall): RunHandle<unknown> {
  return engineOf(currentScope(), call).submit(call);
}

/** Whoever waits for a run is there: only what is submitted may outlive its caller. */
function assertAwaitable({ id, options }: RoutineCall): void {
  if (!options?.detached) return;
  const message = `${formatRoutineId(id)}: detached is for submit, and it was called, mapped or asked for a reference`;
  throw new RoutineEngineError('OPTION_INVALID', message);
}

function engineOf(scope: ReturnType<typeof currentScope>, call: RoutineCall): ScopeEngine {
  if (scope?.kind !== 'task') return scope?.engine ?? ambientEngine();
  throw new RoutineEngineError(
    'TASK_CALLED_ROUTINE',
    `${scope.routineId} is a task and called ${formatRoutineId(call.id)}: a task is the smallest unit. ` +
      'Make the caller a workflow, or make what it calls a plain function',
  );
}
