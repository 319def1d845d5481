import type { Observable } from 'rxjs';
import type { EngineEvent } from '../events/engine-event.js';
import type { WorkerStatus } from '../model/statuses.js';
import { everythingHere } from '../policy/execution-policies.js';
import type { CurrentRun, RoutineCall, RoutineEngine } from '../ports/routine-engine.js';
import { ActiveRuns } from './active-runs.js';
import type { EngineParts } from './engine-parts.js';
import { InlineExecutor } from './inline-executor.js';
import { RequestPipeline } from './request-pipeline.js';
import { RunEvents } from './run-events.js';
import { ValueCaller } from './value-caller.js';

/** Runs the root and all its sub-routines in the calling thread. @public */
export class LocalRunEngine implements RoutineEngine {
  readonly name = 'local';
  readonly status$: Observable<WorkerStatus>;
  readonly events$: Observable<EngineEvent>;
  readonly #active = new ActiveRuns();
  readonly #caller: ValueCaller;

  constructor(parts: EngineParts) {
    const { codec, clock, ids, catalog, feed, identity, cache } = parts;
    const active = this.#active;
    const events = new RunEvents({ feed, clock, node: identity.name });
    const executor = new InlineExecutor({ codec, catalog, clock, ids });
    const policy = everythingHere;
    const pipeline = new RequestPipeline({
      cache,
      policy,
      executor,
      dispatcher: undefined,
      catalog,
      events,
      active,
    });
    this.#caller = new ValueCaller({
      ...{ codec, clock, ids, catalog, events, active, pipeline },
      engine: this,
      project: identity.project,
      remembers: cache !== undefined,
    });
    executor.serve(this);
    this.status$ = active.status$;
    this.events$ = feed.events$;
  }

  get current(): readonly CurrentRun[] {
    return this.#active.current;
  }

  run(call: RoutineCall): Promise<unknown> {
    return this.#caller.run(call);
  }

  shutdown(): Promise<void> {
    return this.#active.close(`the engine ${this.name}`);
  }
}
