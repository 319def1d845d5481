import type { Entry, Execution } from './journal.ts';

/** What became of the tasks of one sweep. */
export interface Verdict {
  /** Tasks whose result is in the store. */
  readonly tasks: number;
  /** Executions that began, and that ended. */
  readonly begun: number;
  readonly ended: number;
  /** Tasks begun more than once, by what had become of the execution before. */
  readonly repeated: Readonly<Record<'killed' | 'frozen' | 'unwanted', number>>;
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
  const kept = new Set<string>();
  const latest = new Map<string, number>();
  const repeated = { killed: 0, frozen: 0, unwanted: 0 };
  for (const [index, entry] of entries.entries()) {
    if (entry.type === 'kept') kept.add(taskOfRun.get(stored.get(entry.key) ?? '') ?? entry.key);
    if (!isBegun(entry)) continue;
    const { task, pid } = entry;
    if (kept.has(task)) violations.push(`${task} was finished, and began again in process ${pid}`);
    const before = latest.get(task);
    latest.set(task, index);
    if (before === undefined) continue;
    const why = whyAgain(entries.slice(before, index), rootOn);
    if (why) repeated[why] += 1;
    else violations.push(`${task} began again in process ${pid}, though nothing had befallen it`);
  }
  const ended = entries.filter(({ type }) => type === 'ended').length;
  return { tasks: stored.size, begun: begun.length, ended, repeated, violations };
}

/** What befell an execution, the first of these entries, before the next. */
function whyAgain(
  [execution, ...since]: readonly Entry[],
  rootOn: 'client' | 'worker',
): keyof Verdict['repeated'] | undefined {
  const faults = since.filter(isFault);
  const own = faults.filter(({ pid }) => pid === execution?.pid);
  if (own.some(({ type }) => type === 'killed')) return 'killed';
  if (own.length > 0) return 'frozen';
  const isOfCaller = ({ role }: FaultEntry): boolean => role === 'client' || role === rootOn;
  return faults.some(isOfCaller) ? 'unwanted' : undefined;
}

type FaultEntry = Extract<Entry, { readonly role: unknown }>;

function isFault(entry: Entry): entry is FaultEntry {
  return 'role' in entry;
}

function isBegun(entry: Entry): entry is Execution & { readonly type: 'begun' } {
  return entry.type === 'begun';
}
