import { provideImplicitEngine } from '../context/ambient.js';
import { ROUTINE_ENGINE } from '../ports/tokens.js';
import type { RoutineEngine } from '../ports/routine-engine.js';
import { compose } from './compose.js';
import { defaultParts } from './defaults.js';

let implicit: RoutineEngine | undefined;

/** The local engine of calls outside any lifecycle: made at the first such call, and it holds nothing open. */
function implicitEngine(): RoutineEngine {
  implicit ??= compose([], defaultParts({ project: 'local', name: 'local' })).parts.get(ROUTINE_ENGINE);
  return implicit;
}

provideImplicitEngine(implicitEngine);
