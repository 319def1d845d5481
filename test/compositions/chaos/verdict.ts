import type { Entry, Execution } from './journal.ts';

/** What became of the tasks of one sweep. */
export interface Verdict {
  /** Tasks whose result is in the store. */
  readonly tasks: number;
  /** Executions that began, and that ended. */
  readonly begun: number;
  readonly ended: number;
  /** Tasks begun more than once, by what had become of the execution before. */
  readonly repeated: Readonly<Record<'killed' | 'frozen' | 'silent' | 'unwanted' | 'crossed', number>>;
  readonly violations: readonly string[];
}

/** What a journal is held against. */
interface Expected {
  /** The results in the store: their keys, and the runs that computed them. */
  readonly stored: ReadonlyMap<string, string>;
  /** How many tasks the sweep has. */
  readonly planned: number;
  /** Where the workflow runs: its tasks are wanted by whoever runs it. */
  readonly rootOn: 'client' | 'worker';
}

/** Judges a journal: what was finished must not have begun again, and what began again must have been lost before. */
export function judge(entries: readonly Entry[], { stored, planned, rootOn }: Expected): Verdict {
  const begun = entries.filter(isBegun);
  const taskOfRun = new Map(begun.map(({ runId, task }) => [runId, task]));
  const violations: string[] = [];
  if (stored.size !== planned) violations.push(`${stored.size} results are kept, and not ${planned}`);
  /** By the task. */
  const kept = new Map<string, Kept>();
  const latest = new Map<string, number>();
  const repeated = { killed: 0, frozen: 0, silent: 0, unwanted: 0, crossed: 0 };
  for (const [index, entry] of entries.entries()) {
    if (entry.type === 'kept') {
      const maker = stored.get(entry.key) ?? '';
      kept.set(taskOfRun.get(maker) ?? entry.key, { runId: maker, at: entry.at });
    }
    if (!isBegun(entry)) continue;
    const { task, pid, runId } = entry;
    const finished = kept.get(task);
    if (finished && isCrossed(entry, finished)) repeated.crossed += 1;
    else if (finished) violations.push(`${task} was finished, and began again in process ${pid}`);
    const before = latest.get(task);
    latest.set(task, index);
    if (before === undefined) continue;
    // A workflow that runs again on another worker asks for the same runs.
    const isOfAnother = rootOn === 'worker' || runId !== runOf(entries[before]);
    const why = whyAgain(entries.slice(0, index), before, isOfAnother ? rootOn : undefined);
    if (why) repeated[why] += 1;
    else violations.push(`${task} began again in process ${pid}, though nothing had befallen it`);
  }
  const ended = entries.filter(({ type }) => type === 'ended').length;
  return { tasks: stored.size, begun: begun.length, ended, repeated, violations };
}

/** A result that is in the directory. */
interface Kept {
  /** The run that computed it. */
  readonly runId: string;
  readonly at: number;
}

/** As long may a busy machine take from a worker's last look into the store to the first line of the task. */
const CROSSED_MS = 1_000;

/**
 * Whether a run was on its way to begin when the result of another came: that was asked for by somebody who is gone, and was
 * being finished. No worker looks into the store and begins in one step.
 */
function isCrossed({ runId, at }: Execution, finished: Kept): boolean {
  return runId !== finished.runId && timeOf(runId) <= finished.at && at - finished.at <= CROSSED_MS;
}

/** When a run was asked for, in milliseconds since 1970: a run id is a UUID of version 7. */
function timeOf(runId: string): number {
  return Number.parseInt(runId.replaceAll('-', '').slice(0, 12), 16);
}

/**
 * What befell an execution before the task began again.
 * @param entries - all until then.
 * @param at - where among them the execution began.
 * @param callers - who had asked for it, when somebody else asks now.
 */
function whyAgain(
  entries: readonly Entry[],
  at: number,
  callers: 'client' | 'worker' | undefined,
): keyof Verdict['repeated'] | undefined {
  const execution = entries[at];
  const faults = entries.slice(at).filter(isFault);
  const own = faults.filter(({ pid }) => pid === execution?.pid);
  if (own.some(({ type }) => type === 'killed')) return 'killed';
  if (own.some(({ type }) => type !== 'silent')) return 'frozen';
  if (own.length > 0) return 'silent';
  // A client that is away for too long is gone; when it is back, it asks for the same runs again.
  if (faults.some(({ type, role }) => type === 'silent' && role === 'client')) return 'unwanted';
  // Who had asked for it may have been lost before it began.
  const isOfCaller = ({ role }: FaultEntry): boolean => role === 'client' || role === callers;
  return callers && entries.filter(isFault).some(isOfCaller) ? 'unwanted' : undefined;
}

type FaultEntry = Extract<Entry, { readonly role: unknown }>;

function isFault(entry: Entry): entry is FaultEntry {
  return 'role' in entry;
}

function runOf(entry: Entry | undefined): string | undefined {
  return entry && isBegun(entry) ? entry.runId : undefined;
}

function isBegun(entry: Entry): entry is Execution & { readonly type: 'begun' } {
  return entry.type === 'begun';
}
