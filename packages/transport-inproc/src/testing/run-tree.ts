import type { EngineEvent, RunEvent } from '@routine-engine/core';

/** What became of a run and of everything that it led to, without what depends on where and when it ran. */
export interface RunTree {
  readonly routineId: string;
  /** What it told, in order: how far it was, what it logged, how it ended. */
  readonly told: readonly string[];
  /** The runs that it called, and those of the triggers that answered it; equal ones stand together. */
  readonly led: readonly RunTree[];
}

/**
 * The tree of the first root run of a routine.
 * @param isWhole - whether everything that runs led to was told here; else the root alone is looked at.
 */
export function runTree(
  events: readonly EngineEvent[],
  routineId: string,
  isWhole: boolean,
): RunTree | undefined {
  const byRun = new Map<string, RunEvent[]>();
  for (const event of events) {
    if (!event.type.startsWith('run.') || event.type === 'run.impure') continue;
    const run = event as RunEvent;
    const others = byRun.get(run.runId);
    if (others) others.push(run);
    else byRun.set(run.runId, [run]);
  }
  const led = new Map<string, RunEvent[][]>();
  for (const of of byRun.values()) {
    const cause = causeOf(of);
    if (cause !== undefined) led.set(cause, [...(led.get(cause) ?? []), of]);
  }
  const root = [...byRun.values()].find(
    ([first]) => first?.routineId === routineId && first.parentRunId === undefined,
  );
  const treeOf = (of: readonly RunEvent[]): RunTree => {
    const [first] = of;
    const below = isWhole ? (led.get(first?.runId ?? '') ?? []).map(treeOf) : [];
    return { routineId: first?.routineId ?? '', told: told(of), led: below.toSorted(inOrder) };
  };
  return root && treeOf(root);
}

function causeOf(events: readonly RunEvent[]): string | undefined {
  const [first] = events;
  return first?.type === 'run.requested' ? (first.triggeredBy ?? first.parentRunId) : first?.parentRunId;
}

/** A line for everything that is promised to be the same. Where it waited, was sent, or was tried again is not. */
function told(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.type === 'run.requested') return ['requested'];
    if (event.type === 'run.progress') return [`progress ${event.done} of ${event.total ?? 'unknown'}`];
    if (event.type === 'run.log') return [`log ${event.level} ${event.message}`];
    if (event.type === 'run.failed') return [`failed ${event.error.name} ${event.error.message}`];
    if (event.type === 'run.cancelled') return ['cancelled'];
    // Which of two equal calls computed what both got is a matter of time.
    return event.type === 'run.completed' || event.type === 'run.cached' ? ['answered'] : [];
  });
}

/** By all that there is in them, so that the order of calls made at the same time does not matter. */
function inOrder(one: RunTree, other: RunTree): number {
  const [a, b] = [JSON.stringify(one), JSON.stringify(other)];
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
