import type { Dispatcher } from '../dispatch/dispatcher.js';
import type { ExecutionPolicy } from '../ports/execution-policy.js';
import type { Executor } from '../ports/executor.js';
import type { RoutineEngine } from '../ports/routine-engine.js';
import { ActiveRuns, type ActiveRunWatcher } from './active-runs.js';
import type { EngineParts } from './engine-parts.js';
import { InlineExecutor } from './inline-executor.js';
import { PurityCheck } from './purity-check.js';
import { RequestPipeline } from './request-pipeline.js';
import { ResultInspector } from './result-inspector.js';
import { RunDirectory } from './run-directory.js';
import { RunEvents } from './run-events.js';
import { TimedExecutor } from './timed-executor.js';
import { definedTriggers, TriggerTable, type TriggerSource } from './trigger-table.js';
import { TriggeredRuns } from './triggered-runs.js';
import { ValueCaller } from './value-caller.js';

/** In what the engines differ. */
interface EngineDifferences {
  readonly policy: ExecutionPolicy;
  /** Absent: everything runs here. */
  readonly dispatcher?: Dispatcher;
  /** What runs bodies that stay here. Default: the calling thread. */
  readonly executor?: Executor | undefined;
  /** Hears of the runs whose bodies run here. */
  readonly watcher?: ActiveRunWatcher | undefined;
  /** The triggers that are in force. Default: those defined in this thread. */
  readonly triggers?: TriggerSource | undefined;
}

/** What every engine works with. */
export interface AssembledEngine {
  readonly active: ActiveRuns;
  readonly directory: RunDirectory;
  readonly caller: ValueCaller;
  readonly inspector: ResultInspector;
  readonly pipeline: RequestPipeline;
  readonly executor: Executor;
}

/** Puts together what answers the calls of an engine. */
export function assembleEngine(
  engine: RoutineEngine,
  parts: EngineParts,
  differences: EngineDifferences,
): AssembledEngine {
  const { codec, clock, random, ids, catalog, feed, identity, cache, contents } = parts;
  const { policy, dispatcher, triggers: source = definedTriggers(catalog, identity.project) } = differences;
  const active = new ActiveRuns(differences.watcher);
  const directory = new RunDirectory(active, clock);
  const events = new RunEvents({ feed, clock, node: identity.name });
  const inline = new InlineExecutor({ codec, catalog, clock, ids });
  const executor = new TimedExecutor(differences.executor ?? inline, clock);
  const purity = new PurityCheck({ ...parts, node: identity.name });
  const triggers = new TriggerTable(source);
  const triggered = new TriggeredRuns({ ...parts, engine, active, node: identity.name });
  const pipeline = new RequestPipeline({
    purity,
    cache,
    contents,
    ids,
    clock,
    random,
    policy,
    executor,
    dispatcher,
    catalog,
    events,
    active,
    triggers,
    triggered,
    onlyNested: differences.executor !== undefined,
  });
  const caller = new ValueCaller({
    ...{ engine, codec, clock, ids, catalog, events, active, directory, pipeline, contents, triggers },
    project: identity.project,
    remembers: cache !== undefined,
  });
  inline.serve(engine);
  return { active, directory, caller, inspector: new ResultInspector(parts), pipeline, executor };
}
