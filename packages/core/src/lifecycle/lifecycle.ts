import type { Observable } from 'rxjs';
import { openAmbient } from '../context/ambient.js';
import { rejected } from '../context/rejected.js';
import { currentRunScope, inScope } from '../context/run-scope.js';
import { callRoutine } from '../define/call.js';
import { offeredRoutines } from '../define/offered-routines.js';
import type { EngineEvent } from '../events/engine-event.js';
import type { CallOptions, RoutineDefinition } from '../model/routine-definition.js';
import { assertName, completeRoutineId, parseRoutineId, type NamedRoutineId } from '../model/routine-id.js';
import type { EnginePlugin } from '../ports/plugin.js';
import type { RoutineEngine } from '../ports/routine-engine.js';
import type { Runs } from '../ports/runs.js';
import { EVENT_FEED, NODE_IDENTITY, ROUTINE_CATALOG, ROUTINE_ENGINE } from '../ports/tokens.js';
import { compose, type BuiltPart, type Composition } from './compose.js';
import { defaultParts } from './defaults.js';
import { startAll, stopAll } from './start-stop.js';

/** How a lifecycle is composed. @public */
export interface LifecycleOptions {
  /** Project that routine ids belong to when they name none: a letter, then letters, digits, `-`, `_` or `.`. */
  readonly project: string;
  /** Name of this node in events. Default `client`. */
  readonly name?: string;
  /** Stores, transports, codecs, policies. Default none: everything runs in the calling thread. */
  readonly plugins?: readonly EnginePlugin[];
}

/**
 * Composes an engine out of plugins, and ends all of it. Routines that are called while it is open run under it.
 * @public
 */
export class Lifecycle implements AsyncDisposable {
  readonly #composition: Composition;
  readonly #built: readonly BuiltPart[];
  readonly #closeAmbient: () => void;
  #stopped: Promise<void> | undefined;

  /** What happens, from all parts. Hot; never errors; completes at the end of `shutdown`. */
  readonly events$: Observable<EngineEvent>;
  readonly engine: RoutineEngine;
  /** Runs by their ids: to find, wait for and cancel them. */
  readonly runs: Runs;

  private constructor(composition: Composition, built: readonly BuiltPart[], name: string) {
    this.#composition = composition;
    this.#built = built;
    this.engine = composition.parts.get(ROUTINE_ENGINE);
    this.runs = this.engine.runs;
    this.events$ = composition.parts.get(EVENT_FEED).events$;
    this.#closeAmbient = openAmbient(this.engine, name);
  }

  /**
   * Builds and starts the parts. When one fails, those that had started are stopped again.
   * @throws {@link RoutineEngineError} `PLUGIN_*` when plugins do not fit together; `ROUTINE_DUPLICATE` when two
   *   functions have one id in this project; what a part's start gave, such as `ROUTINE_MODULE_FAILED` or
   *   `TRANSPORT_UNREACHABLE`.
   */
  static async init(options: LifecycleOptions): Promise<Lifecycle> {
    const { project, name = 'client', plugins = [] } = options;
    assertName('Lifecycle.init: project', project);
    assertName('Lifecycle.init: name', name);
    const composition = compose(plugins, defaultParts({ project, name }));
    const built = composition.buildAll();
    const { parts } = composition;
    // Only to refuse two that complete to one id: a process needs no list of what it can run.
    offeredRoutines(parts.get(ROUTINE_CATALOG), parts.get(NODE_IDENTITY).project);
    await startAll(built);
    return new Lifecycle(composition, built, `${project}/${name}`);
  }

  /**
   * Calls a function whose routine calls, also after each await, belong to this lifecycle. Needed only where several
   * are open at once. Inside a run of this lifecycle they are sub-runs of it, as they are without.
   */
  run<T>(callback: () => T): T {
    if (currentRunScope()?.engine === this.engine) return callback();
    return inScope({ engine: this.engine }, callback);
  }

  /**
   * Calls a routine by its id, such as `tname:train:0.0.1`, `wfname:sweep` or a record id `tdb:...`; with a transport
   * it need not be defined in this process. Inside a run of this lifecycle it is a sub-run, as any other call.
   * @throws {@link RoutineEngineError} `ROUTINE_ID_INVALID`, `ROUTINE_ID_CONTRADICTS`, `ROUTINE_UNKNOWN`,
   *   `ROUTINE_VERSION_UNKNOWN`; `TASK_CALLED_ROUTINE` inside a task.
   */
  call(id: string, args: readonly unknown[] = [], options?: CallOptions): Promise<unknown> {
    try {
      const parsed = parseRoutineId(id);
      const definition = parsed.form === 'name' ? this.#definitionOf(parsed) : undefined;
      return this.run(() => callRoutine({ id: definition?.id ?? parsed, definition, args, options }));
    } catch (error) {
      return rejected(error, currentRunScope() !== undefined);
    }
  }

  #definitionOf(id: NamedRoutineId): RoutineDefinition | undefined {
    const { parts } = this.#composition;
    const { project } = parts.get(NODE_IDENTITY);
    return parts.get(ROUTINE_CATALOG).get(completeRoutineId(id, { project }));
  }

  /**
   * Takes no more calls, cancels the runs in hand, and stops every part in reverse order. A second call gives the
   * same promise.
   * @throws {@link RoutineEngineError} `LIFECYCLE_STOP_FAILED`, when parts did not stop cleanly.
   */
  shutdown(): Promise<void> {
    this.#closeAmbient();
    return (this.#stopped ??= stopAll(this.#built));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}
