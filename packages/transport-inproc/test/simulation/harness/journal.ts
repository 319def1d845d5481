import type { EngineEvent, RunEvent } from '@routine-engine/core';
import type { DirectiveHeader } from '@routine-engine/core/adapter';

/** A run as the node that requested it told of it. */
export interface RunStory {
  readonly runId: string;
  readonly routineId: string;
  /** Process of the requester, such as `worker-1#2`. */
  readonly node: string;
  readonly requestedAt: number;
  readonly events: RunEvent['type'][];
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
  readonly nodeId: string;
  /** It fails at first, and is to be run again. */
  readonly isRetried: boolean;
}

const TERMINAL: ReadonlySet<string> = new Set(['run.completed', 'run.failed', 'run.cancelled', 'run.cached']);

/** Keeps what happened in one simulation, and what can't be right whatever else happens. */
export class Journal {
  readonly stories = new Map<string, RunStory>();
  readonly executions: Execution[] = [];
  readonly violations: string[] = [];
  /** Task results that a shared store keeps, by the node of the tree. */
  readonly puts = new Map<string, number>();
  /** Whether all keep results in one store. */
  sharesStore = false;
  /** Statuses of workers, as the service told of them. */
  readonly statuses: string[] = [];
  readonly #time: () => number;
  readonly #nodes = new Map<string, string>();
  /** A result is kept under a run that shared the execution of another: of which node it is, is not known. */
  #hasUnknownPuts = false;

  constructor(time: () => number) {
    this.#time = time;
  }

  /** The engine of a process tells something. */
  tell(node: string, event: EngineEvent): void {
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
    if (!TERMINAL.has(event.type)) return;
    story.endedAt = this.#time();
    story.isForgotten = event.type === 'run.completed' && !event.remembered;
    story.isAnswered =
      event.type === 'run.completed' || (event.type === 'run.failed' && event.error.code === 'TREE_FAILED');
  }

  bodyBegins(process: string, runId: string, nodeId: string, isRetried: boolean): void {
    this.executions.push({ at: this.#time(), process, runId, nodeId, isRetried });
    this.#nodes.set(runId, nodeId);
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

  /** The service sends something. */
  serviceSends({ type, runId }: DirectiveHeader): void {
    if (type !== 'v1.routine.request_start') return;
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

  violate(what: string): void {
    this.violations.push(what);
  }

  #begin(node: string, event: RunEvent): void {
    const { runId, routineId, type } = event;
    if (type !== 'run.requested')
      this.violate(`${type} of ${routineId} ${runId} came before it was requested`);
    this.stories.set(runId, {
      runId,
      routineId,
      node,
      requestedAt: this.#time(),
      events: [type],
      endedAt: undefined,
      isAnswered: false,
      isForgotten: false,
    });
  }
}

function isRunEvent(event: EngineEvent): event is RunEvent {
  return event.type.startsWith('run.') && event.type !== 'run.impure';
}
