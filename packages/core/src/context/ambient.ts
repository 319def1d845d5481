import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { ScopeEngine } from './run-scope.js';

/** The engines of one thread that calls outside any scope may mean. */
interface Ambient {
  /** Open lifecycles of the thread, and the name each has in messages. */
  readonly open: Map<ScopeEngine, string>;
  /** Makes the engine of the implicit local lifecycle; set by whoever may compose one. */
  implicit: (() => ScopeEngine) | undefined;
}

const AMBIENT = Symbol.for('@routine-engine/ambient.v1');
type WithAmbient = typeof globalThis & { [AMBIENT]?: Ambient };
const ambient = ((globalThis as WithAmbient)[AMBIENT] ??= { open: new Map(), implicit: undefined });

/** Lets calls outside any scope reach this engine. @returns to be called when it closes. */
export function openAmbient(engine: ScopeEngine, name: string): () => void {
  ambient.open.set(engine, name);
  return () => void ambient.open.delete(engine);
}

/** Says how to make the implicit local engine. */
export function provideImplicitEngine(make: () => ScopeEngine): void {
  ambient.implicit ??= make;
}

/**
 * The engine of a call outside any scope: that of the one open lifecycle, else the implicit local one.
 * @throws {@link RoutineEngineError} `LIFECYCLE_AMBIGUOUS` when several are open.
 */
export function ambientEngine(): ScopeEngine {
  if (ambient.open.size === 1) for (const engine of ambient.open.keys()) return engine;
  if (ambient.open.size > 1) {
    throw new RoutineEngineError(
      'LIFECYCLE_AMBIGUOUS',
      `A routine was called while ${ambient.open.size} lifecycles are open (${[...ambient.open.values()].join(', ')}): ` +
        'call it inside lifecycle.run(() => ...), so that it is clear which one is meant',
    );
  }
  if (!ambient.implicit) {
    throw new RoutineEngineError('LIFECYCLE_CLOSED', 'A routine was called where there is no lifecycle');
  }
  return ambient.implicit();
}
