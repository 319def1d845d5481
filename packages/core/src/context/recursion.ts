import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { LIMITS } from '../model/limits.js';
import type { RunScope } from './run-scope.js';

/** How many bodies in one thread may begin inside one another, before one begins in a turn of its own. */
const NESTED_BODIES = 50;

/** Whether a body is to begin in a turn of its own: one that calls another at once would run out of stack some day. */
export function beginsAnew(depth: number | undefined): boolean {
  return depth !== undefined && depth % NESTED_BODIES === NESTED_BODIES - 1;
}

/** How many runs of a chain are named in a message. */
const NAMED = 5;

/**
 * Refuses a call that is nested deeper than a program that ends would be.
 * @throws {@link RoutineEngineError} `RECURSIVE_CALL`, with the lower end of the chain.
 */
export function assertDepth(routineId: string, parent: RunScope): void {
  if (parent.depth < LIMITS.callDepth) return;
  throw new RoutineEngineError(
    'RECURSIVE_CALL',
    `${routineId} was called ${parent.depth + 1} levels deep, and ${LIMITS.callDepth} are the most: ` +
      `${chainOf(parent)} > ${routineId}. Does it call itself without an end?`,
  );
}

/** A run would wait for itself, or for one that waits for it. */
export function recursiveWait(
  waiter: RunScope,
  run: { readonly runId: string; readonly routineId: string },
): RoutineEngineError {
  const chain = waiter.runId === run.runId ? waiter.routineId : chainOf(waiter);
  return new RoutineEngineError(
    'RECURSIVE_CALL',
    `${waiter.routineId} would wait for ever for the run ${run.runId} of ${run.routineId}, ` +
      `which ${waiter.runId === run.runId ? 'it is itself' : `waits for it: ${chain}`}`,
  );
}

/** The runs above a scope, and itself, outermost first; of a long chain the end. */
function chainOf(scope: RunScope): string {
  const names: string[] = [];
  let at: RunScope | undefined = scope;
  for (; at && names.length < NAMED; at = at.parent) names.unshift(at.routineId);
  const isWhole = !at && scope.depth < names.length;
  return isWhole ? names.join(' > ') : `... > ${names.join(' > ')}`;
}
