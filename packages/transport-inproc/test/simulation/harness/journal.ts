import type { EngineEvent, RunEvent, TriggerFailed } from '@routine-engine/core';
import type { DirectiveHeader } from '@routine-engine/core/adapter';
import { FAILED_FOR_GOOD, TREE_FAILED } from './tree-value.ts';
import type { Flow, Leaf } from './tree.ts';

/** What a simulation may see happen; a summary tells in how many it did. */
export const FEATURES = [
  'run chosen among those that wait',
  'turns of roots',
  'labels',
  'version that few offer',
  'map',
  'map without order',
  'map that is left',
  'submitted',
  'submitted by a client',
  'trigger',
  'trigger that fails',
  'retry',
  'error that is final',
  'timeout',
  'attempt timeout',
  'queue timeout',
  'cancelled by a signal',
  'cancelled by its id',
  'full queue',
  'given back by a worker that drains',
  'worker that accepts no work',
  'announced local run',
  'shared by equal calls',
] as const;

export type Feature = (typeof FEATURES)[number];

/** A run as the node that requested it told of it. */
export interface RunStory {
  readonly runId: string;
  readonly routineId: string;
  /** Process of the requester, such as `worker-1#2`. */
  readonly node: string;
  readonly isRoot: boolean;
  readonly requestedAt: number;
  readonly events: RunEvent['type'][];
  /** Its body began, and no other attempt is to come. */
  begunAt: number | undefined;
  /** When its next attempt may begin. */
  notBefore: number;
  endedAt: number | undefined;
  /** It ended with what came of its body, and not since its caller wanted it no more. */
  isAnswered: boolean;
  /** It gave a value, and said that it is not kept. */
  isForgotten: boolean;
}

/** A body that began. */
export interface Execution {
  readonly at: number;
  readonly process: string;
  readonly runId: string;
  readonly node: Leaf | Flow;
  endedAt: number | undefined;
  wasCancelled: boolean;
}

/** A worker that was told to stop. */
export interface Drained {
  readonly at: number;
  readonly graceMs: number;
}

const TERMINAL: ReadonlySet<string> = new Set(['run.completed', 'run.failed', 'run.cancelled', 'run.cached']);
const OF_BODIES: ReadonlySet<unknown> = new Set([TREE_FAILED, FAILED_FOR_GOOD]);
/** Ids of what handlers run as, and of what they answer. */
const HANDLER = ':on-simulated-watched-';

/** Keeps what happened in one simulation, and what can't be right whatever else happens. */
export class Journal {
  readonly stories = new Map<string, RunStory>();
  readonly executions: Execution[] = [];
  readonly violations: string[] = [];
  readonly seen = new Set<Feature>();
  /** Task results that a shared store keeps, by the node of the tree. */
  readonly puts = new Map<string, number>();
  /** Whether all keep results in one store. */
  sharesStore = false;
  /** Whether nothing goes wrong that has runs be placed again, or directives be lost. */
  isCalm = false;
  /** Whether the queue of the service may be full. */
  hasShortQueue = false;
  /** Statuses of workers, as the service told of them. */
  readonly statuses: string[] = [];
  /** Processes that were killed. */
  readonly killed = new Set<string>();
  readonly drained = new Map<string, Drained>();
  /** Priority of each run that the service was asked for. */
  readonly priorities = new Map<string, number>();
  /** Runs of handlers that began, by the run that they answer. */
  readonly handlers = new Map<string, Set<string>>();
  readonly failedHandlers: TriggerFailed[] = [];
  /** Runs of handlers that the service was asked for, with the runs that they answer. */
  readonly takenHandlers = new Map<string, string>();
  readonly #time: () => number;
  readonly #nodes = new Map<string, string>();
  readonly #inBody = new Map<string, Execution>();
  /** A result is kept under a run that shared the execution of another: of which node it is, is not known. */
  #hasUnknownPuts = false;

  constructor(time: () => number) {
    this.#time = time;
  }

  /** The engine of a process tells something. */
  tell(node: string, event: EngineEvent): void {
    if (event.type === 'trigger.failed') this.failedHandlers.push(event);
    if (!isRunEvent(event)) return;
    const story = this.stories.get(event.runId);
    if (!story) return this.#begin(node, event);
    story.events.push(event.type);
    if (event.type === 'run.requested') this.violate(`${event.runId} was told twice to be requested`);
    if (story.endedAt !== undefined) {
      this.violate(
        `${event.type} of ${event.routineId} ${event.runId} came after its end: ${story.events.join(' ')}`,
      );
    }
    if (event.type === 'run.completed' && event.remembered) this.#checkKept(event.runId);
    this.#tellAttempt(story, event);
    if (TERMINAL.has(event.type)) this.#end(story, event);
  }

  bodyBegins(process: string, runId: string, node: Leaf | Flow): void {
    const [at, endedAt] = [this.#time(), undefined];
    const execution: Execution = { at, process, runId, node, endedAt, wasCancelled: false };
    this.executions.push(execution);
    this.#nodes.set(runId, node.id);
    this.#inBody.set(`${process} ${runId}`, execution);
  }

  bodyEnds(process: string, runId: string, wasCancelled: boolean): void {
    const execution = this.#inBody.get(`${process} ${runId}`);
    if (!execution) return this.violate(`The body of ${runId} ended at ${process} and never began`);
    execution.endedAt = this.#time();
    execution.wasCancelled = wasCancelled;
  }

  /** A handler begins to answer a run. All attempts at that are one run. */
  handles(triggeredBy: string, runId: string): void {
    this.seen.add('trigger');
    const runs = this.handlers.get(triggeredBy) ?? new Set();
    this.handlers.set(triggeredBy, runs.add(runId));
    if (runs.size > 1) this.violate(`${triggeredBy} was answered by several runs: ${[...runs].join(', ')}`);
    if (!this.stories.has(triggeredBy)) this.violate(`${triggeredBy} was answered, and never requested`);
  }

  /** What was kept before it was told is there. */
  #checkKept(runId: string): void {
    const nodeId = this.#nodes.get(runId);
    if (this.sharesStore && !this.#hasUnknownPuts && nodeId !== undefined && !this.puts.has(nodeId))
      this.violate(`${nodeId} ${runId} was told to be kept before it was`);
  }

  /** The service tells something. */
  tellStatus(event: EngineEvent): void {
    if (event.type === 'worker.status') this.statuses.push(`${event.worker} ${event.status}`);
  }

  /** The service gives a run to a worker. */
  placed({ runId }: DirectiveHeader): void {
    const story = this.stories.get(String(runId));
    if (!story?.isAnswered) return;
    this.violate(
      `${story.routineId} ${story.runId} was placed at ${this.#time()}, after it ended at ${story.endedAt}`,
    );
  }

  /** A store keeps the result of a run from now on. */
  putBy(runId: string): void {
    const nodeId = this.#nodes.get(runId);
    if (nodeId === undefined) this.#hasUnknownPuts = true;
    else if (!this.puts.has(nodeId)) this.puts.set(nodeId, this.#time());
  }

  drains(process: string, graceMs: number): void {
    this.drained.set(process, { at: this.#time(), graceMs });
  }

  violate(what: string): void {
    this.violations.push(what);
  }

  #begin(node: string, event: RunEvent): void {
    const { runId, routineId, type, parentRunId } = event;
    if (type !== 'run.requested')
      this.violate(`${type} of ${routineId} ${runId} came before it was requested`);
    this.stories.set(runId, {
      ...{ runId, routineId, node, isRoot: parentRunId === undefined, requestedAt: this.#time() },
      ...{ events: [type], begunAt: undefined, notBefore: 0, endedAt: undefined },
      ...{ isAnswered: false, isForgotten: false },
    });
  }

  /** Attempts come one after the other, after their backoff, and not when the error is final. */
  #tellAttempt(story: RunStory, event: RunEvent): void {
    const { type } = event;
    if (type === 'run.failed' || type === 'run.retrying') this.#checkQueue(story, event.error.code);
    if (type === 'run.retrying') {
      if (event.delayMs > 0) this.seen.add('retry');
      if (event.error.code === FAILED_FOR_GOOD) this.violate(`${story.runId} is run again: ${type}`);
      story.notBefore = this.#time() + event.delayMs;
      story.begunAt = undefined;
    }
    const begins = type === 'run.starting' || type === 'run.dispatched';
    if (begins && this.#time() < story.notBefore)
      this.violate(`${type} of ${story.runId} came at ${this.#time()}, not after ${story.notBefore}`);
    if (type === 'run.starting') story.begunAt = this.#time();
  }

  /** What has a worker no longer waits for one. */
  #checkQueue({ runId, begunAt }: RunStory, code: unknown): void {
    if (code !== 'QUEUE_TIMEOUT' && code !== 'QUEUE_FULL') return;
    // That its worker is gone, and that it waits again, may be lost on its way.
    if (begunAt !== undefined && (this.isCalm || code === 'QUEUE_FULL'))
      this.violate(`${runId} failed with ${code}, and its body had begun`);
    if (code === 'QUEUE_TIMEOUT') return;
    this.seen.add('full queue');
    if (!this.hasShortQueue) this.violate(`${runId} failed with ${code}`);
  }

  #end(story: RunStory, event: RunEvent): void {
    const code = event.type === 'run.failed' ? event.error.code : undefined;
    story.endedAt = this.#time();
    story.isForgotten = event.type === 'run.completed' && !event.remembered;
    story.isAnswered = event.type === 'run.completed' || OF_BODIES.has(code);
    if (code === FAILED_FOR_GOOD) this.seen.add('error that is final');
    if (event.type === 'run.cached' && event.from === 'shared') this.seen.add('shared by equal calls');
  }
}

/** Whether a handler is to answer how a run ended. */
export function isToBeAnswered({ routineId, events }: RunStory): boolean {
  const end = events.at(-1) ?? '';
  return (
    routineId.includes('simulated-watched') &&
    !routineId.includes(HANDLER) &&
    end !== 'run.cancelled' &&
    TERMINAL.has(end)
  );
}

function isRunEvent(event: EngineEvent): event is RunEvent {
  return event.type.startsWith('run.') && event.type !== 'run.impure';
}
