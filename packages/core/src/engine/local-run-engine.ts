import type { Observable } from 'rxjs';
import type { EngineEvent } from '../events/engine-event.js';
import type { Explanation, Provenance } from '../model/explanation.js';
import type { ReferenceData } from '../model/reference.js';
import type { WorkerStatus } from '../model/statuses.js';
import { LIMITS } from '../model/limits.js';
import { everythingHere } from '../policy/execution-policies.js';
import type { Clock } from '../ports/clock.js';
import type { CurrentRun, RoutineCall, RoutineEngine } from '../ports/routine-engine.js';
import type { RunHandle, Runs } from '../ports/runs.js';
import type { ActiveRuns } from './active-runs.js';
import { assembleEngine } from './assemble-engine.js';
import type { EngineParts } from './engine-parts.js';
import type { RunDirectory } from './run-directory.js';
import type { ResultInspector } from './result-inspector.js';
import type { ValueCaller } from './value-caller.js';

/** Runs the root and all its sub-routines in the calling thread. @public */
export class LocalRunEngine implements RoutineEngine {
  readonly name = 'local';
  readonly status$: Observable<WorkerStatus>;
  readonly events$: Observable<EngineEvent>;
  readonly runs: Runs;
  readonly #active: ActiveRuns;
  readonly #directory: RunDirectory;
  readonly #caller: ValueCaller;
  readonly #inspector: ResultInspector;
  readonly #clock: Clock;

  constructor(parts: EngineParts) {
    const { active, directory, caller, inspector } = assembleEngine(this, parts, { policy: everythingHere });
    this.#active = active;
    this.#directory = directory;
    this.runs = directory;
    this.#caller = caller;
    this.#inspector = inspector;
    this.#clock = parts.clock;
    this.status$ = active.status$;
    this.events$ = parts.feed.events$;
  }

  get current(): readonly CurrentRun[] {
    return this.#active.current;
  }

  run(call: RoutineCall): Promise<unknown> {
    return this.#caller.run(call);
  }

  submit(call: RoutineCall): RunHandle<unknown> {
    return this.#caller.submit(call);
  }

  resolve(reference: ReferenceData): Promise<unknown> {
    return this.#caller.resolve(reference);
  }

  explain(call: RoutineCall): Promise<Explanation> {
    return this.#inspector.explain(call);
  }

  provenance(reference: ReferenceData): Promise<Provenance> {
    return this.#inspector.provenance(reference);
  }

  open(reference: ReferenceData): Promise<AsyncIterable<Uint8Array>> {
    return this.#caller.open(reference);
  }

  shutdown(): Promise<void> {
    this.#directory.close();
    return this.#active.close(`the engine ${this.name}`, {
      finishWithinMs: LIMITS.drainMs,
      clock: this.#clock,
    });
  }
}
