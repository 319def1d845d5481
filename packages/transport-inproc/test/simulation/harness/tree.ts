/** A part of a cluster, which a run may require of its worker as the label `zone`. No worker is `nowhere`. */
export type Zone = 'east' | 'west' | 'nowhere';

/** A task as data: what its body does, and what comes of it. Equal leaves are equal calls. */
export interface Leaf {
  readonly id: string;
  /** How long it computes, in milliseconds. */
  readonly ms: number;
  /** It fails, each time. */
  readonly fails?: boolean;
  /** It fails in so many first attempts. */
  readonly failsFirst?: number;
  /** It fails in a way that its retries do not try again. */
  readonly failsForGood?: boolean;
  /** It computes until it is cancelled. */
  readonly endless?: boolean;
  /** It does so in so many first attempts. */
  readonly endlessFirst?: number;
  /** It takes no notice of being cancelled. */
  readonly deaf?: boolean;
  /** Bytes that it is given. */
  readonly given?: Uint8Array;
  /** How many bytes it gives beside its number. */
  readonly gives?: number;
  /** The bytes that it gives come as a stream. */
  readonly streams?: boolean;
  /** Where it may run. */
  readonly zone?: Zone;
  /** How long each of its attempts may take, in milliseconds. */
  readonly attemptTimeoutMs?: number;
}

/** A workflow as data. */
export interface Flow {
  readonly id: string;
  readonly steps: readonly Step[];
  /** It fails after its steps. */
  readonly fails?: boolean;
}

/** The routines that leaves are run by: `newer` is another version of `task`, `watched` has triggers. */
export type LeafRoutine = 'task' | 'unremembered' | 'newer' | 'watched';

export interface LeafCall {
  readonly of: LeafRoutine;
  readonly node: Leaf;
  readonly retries?: number;
  readonly timeoutMs?: number;
  readonly queueTimeoutMs?: number;
  readonly priority?: number;
}

/** A call of a routine. */
export type Call = LeafCall | { readonly of: 'flow'; readonly node: Flow; readonly priority?: number };

/** What a workflow does, one step after the other. */
export type Step =
  | { readonly do: 'call'; readonly call: Call }
  | { readonly do: 'together'; readonly calls: readonly Call[] }
  /** Its failure is caught. */
  | { readonly do: 'try'; readonly call: Call }
  /** Cancelled after so many milliseconds, unless it is over. */
  | { readonly do: 'cancel'; readonly call: Call; readonly afterMs: number }
  /** Of what never ends by itself: another node cancels it by its id after so many milliseconds. */
  | { readonly do: 'cancel-by-id'; readonly call: Call; readonly afterMs: number }
  /** Not waited for. */
  | { readonly do: 'abandon'; readonly call: Call }
  /** Its result is waited for only after so many milliseconds. */
  | { readonly do: 'submit'; readonly call: Call; readonly afterMs: number }
  | MapStep
  /** Of what never ends by itself: it times out. */
  | { readonly do: 'time-out'; readonly call: Call; readonly timeoutMs: number }
  /** Of what never ends by itself: each of its attempts does. */
  | { readonly do: 'attempt-time-out'; readonly call: LeafCall }
  /** Of what no worker may have: it waits for so many milliseconds. */
  | { readonly do: 'queue-time-out'; readonly call: LeafCall }
  /** Whether a worker is found within its queueTimeoutMs does not count. */
  | { readonly do: 'hurry'; readonly call: LeafCall }
  | { readonly do: 'pause'; readonly ms: number };

/** Calls one routine for each of its leaves. */
export interface MapStep {
  readonly do: 'map';
  readonly of: LeafRoutine;
  readonly leaves: readonly Leaf[];
  readonly concurrency: number;
  readonly ordered: boolean;
  /** It is left after so many results. */
  readonly leaveAfter?: number;
}

/** The calls that a step makes. */
export function callsOf(step: Step): readonly Call[] {
  if (step.do === 'pause') return [];
  if (step.do === 'together') return step.calls;
  if (step.do === 'map') return step.leaves.map((node) => ({ of: step.of, node }));
  return [step.call];
}

/** Grace of a body that takes no notice of being cancelled, and the longest wait before a retry, in milliseconds. */
const GRACE_MS = 500;
const RETRIES_MS = 100;
/** How long whoever cancels by an id waits before it tries again, at most, in milliseconds. */
const CANCELLING_MS = 400;

/** How long a call takes at most when its runs come one after the other, each with so much for its ways. */
export function workOf(call: Call, hopMs: number): number {
  if (call.of !== 'flow') return workOfLeaf(call, hopMs);
  return hopMs + call.node.steps.reduce((sum, step) => sum + workOfStep(step, hopMs), 0);
}

function workOfLeaf({ of, node, retries = 0 }: LeafCall, hopMs: number): number {
  const { ms, deaf, failsFirst = 0, endless, endlessFirst = 0, attemptTimeoutMs = 0 } = node;
  const late = endless && attemptTimeoutMs > 0 ? retries : endlessFirst;
  const again = failsFirst * (ms + hopMs + RETRIES_MS) + late * (attemptTimeoutMs + hopMs + RETRIES_MS);
  // The handler of a trigger is a run, too.
  return hopMs + (deaf ? Math.max(ms, GRACE_MS) : ms) + again + (of === 'watched' ? hopMs : 0);
}

function workOfStep(step: Step, hopMs: number): number {
  if (step.do === 'pause') return step.ms;
  // One that is abandoned runs until its caller ends, and may take the only slot meanwhile.
  const work = callsOf(step).reduce((sum, call) => sum + workOf(call, hopMs), 0);
  switch (step.do) {
    case 'time-out':
      return work + step.timeoutMs;
    case 'attempt-time-out':
      return work + (step.call.node.attemptTimeoutMs ?? 0);
    case 'queue-time-out':
    case 'hurry':
      return work + (step.call.queueTimeoutMs ?? 0);
    case 'submit':
      return work + step.afterMs;
    case 'cancel-by-id':
      return work + step.afterMs + CANCELLING_MS + 2 * hopMs;
    default:
      return work;
  }
}
