import type { EngineEvent } from '../events/engine-event.js';
import type { Lifecycle } from '../lifecycle/lifecycle.js';
import type { EnginePlugin } from '../ports/plugin.js';
import type { engineRoutines } from './engine-routines.js';
import type { ComplianceCase, ComplianceSubject } from './kit.js';

/** A composition of plugins that is judged as a whole. @public */
export interface EngineSubject extends ComplianceSubject {
  /**
   * Gives the plugins of one composition, anew for each case. What they open has to close with their lifecycle.
   * @param modules - what workers of the composition have to load: the routines that the kit calls.
   */
  plugins(modules: readonly URL[]): Promise<readonly EnginePlugin[]> | readonly EnginePlugin[];
  /** Ends what the composition needs besides, such as a service in another process, when its lifecycle is closed. */
  close?(): Promise<void>;
  /** Whether it remembers results. Default `true`. */
  readonly remembers?: boolean;
}

/** What decides which cases there are for a composition. @public */
export interface EngineAbilities {
  readonly remembers: boolean;
}

/** What one case of the kit for engines gets. */
export interface EngineGiven {
  readonly lifecycle: Lifecycle;
  /** Everything that the lifecycle has told. */
  readonly events: readonly EngineEvent[];
  /** Resolves with the first event, past or to come, of that type and routine. */
  readonly event: (type: EngineEvent['type'], routine: string) => Promise<EngineEvent>;
  /** Another lifecycle of the same composition. */
  readonly open: () => Promise<Lifecycle>;
  readonly routines: typeof engineRoutines;
}

export type EngineCase = ComplianceCase<EngineGiven, EngineAbilities>;
