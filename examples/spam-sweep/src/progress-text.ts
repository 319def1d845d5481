import type { EngineEvent } from '@routine-engine/core';
import type { Colors } from 'picocolors/types.js';
import { formatBytes, formatDuration } from './number-format.js';
import {
  isRunEvent,
  type ProgressState,
  routineName,
  RUN_STATES,
  type RunState,
  type RunView,
  type TreeRow,
  treeRows,
} from './progress-view.js';

/** How many runs of each routine are to come in all, by its name; routines that are not in it may run any number of times. */
export type ExpectedRuns = Readonly<Record<string, number>>;

const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const;
const SPINNER_MS = 100;
const BAR_CELLS = 12;

/**
 * The live tree: one line a routine, below the workflow that calls it.
 * @param now - milliseconds since 1970.
 */
export function treeText(state: ProgressState, expected: ExpectedRuns, now: number, colors: Colors): string {
  const rows = treeRows(state);
  const width = Math.max(0, ...rows.map((row) => row.depth * 2 + row.name.length));
  return rows
    .map((row) => {
      const name = `${'  '.repeat(row.depth)}${symbol(row, expected, now, colors)} ${row.name}`;
      // The symbol may bring invisible colour codes: pad by what is seen.
      const padding = ' '.repeat(width - row.depth * 2 - row.name.length);
      return `${name}${padding}  ${rowText(row, expected, now, colors)}`;
    })
    .join('\n');
}

/**
 * The line that tells of an event where there is no terminal to draw on; undefined for events that are left out there.
 * @param state - after the event.
 */
export function plainLine(
  event: EngineEvent,
  state: ProgressState,
  expected: ExpectedRuns,
): string | undefined {
  if (!isRunEvent(event)) return noticeText(event);
  const run = state.runs.get(event.runId);
  if (run === undefined) return undefined;
  switch (event.type) {
    case 'run.requested':
      return event.parentRunId === undefined ? `${routineName(event.routineId)} requested` : undefined;
    case 'run.cached': {
      const source = event.from === 'store' ? 'from the store' : 'shared with an equal run';
      return `${counted(run, state, expected)} ${source} (${formatBytes(event.byteLength)})`;
    }
    case 'run.completed': {
      const where = run.worker === undefined ? '' : ` on ${run.worker}`;
      const size = event.byteLength > 0 ? ` (${formatBytes(event.byteLength)})` : '';
      return `${counted(run, state, expected)} done in ${formatDuration(event.durationMs)}${where}${size}`;
    }
    case 'run.failed':
      return `${counted(run, state, expected)} failed: ${event.error.name}: ${event.error.message}`;
    case 'run.cancelled':
      return `${counted(run, state, expected)} cancelled`;
    default:
      return noticeText(event);
  }
}

/** What deserves a line of its own even above a live tree; undefined for everything else. */
export function noticeText(event: EngineEvent): string | undefined {
  switch (event.type) {
    case 'run.retrying':
      return `${routineName(event.routineId)} is run again: ${event.error.message}`;
    case 'run.waiting':
      return `${routineName(event.routineId)} waits: ${event.detail}`;
    case 'run.log':
      return `${routineName(event.routineId)}: ${event.level === 'info' ? '' : `${event.level}: `}${event.message}`;
    case 'store.corrupt':
      return `store ${event.store}: damaged result ${event.key.slice(0, 12)} put aside: ${event.detail}`;
    case 'store.failed':
      return `store ${event.store}: ${event.operation} failed: ${event.error.message}`;
    case 'transport.lost':
      return `link to ${event.address} lost: ${event.error.message}`;
    case 'worker.status':
      return event.status === 'UNRESPONSIVE' ? `${event.worker} does not answer` : undefined;
    default:
      return undefined;
  }
}

/** `train 3/31`: the run's routine, how many of its runs have ended, and how many there will be. */
function counted(run: RunView, state: ProgressState, expected: ExpectedRuns): string {
  const name = routineName(run.routineId);
  let ended = 0;
  for (const other of state.runs.values()) {
    if (other.routineId === run.routineId && other.endedAt !== undefined) ended++;
  }
  if (run.parentRunId === undefined) return name;
  return expected[name] === undefined ? `${name} ${ended}` : `${name} ${ended}/${expected[name]}`;
}

function endedRuns({ counts }: TreeRow): number {
  return counts.done + counts.cached + counts.failed + counts.cancelled;
}

function totalRuns(row: TreeRow, expected: ExpectedRuns): number {
  const seen = RUN_STATES.reduce((sum, state) => sum + row.counts[state], 0);
  return row.depth === 0 ? seen : Math.max(seen, expected[row.name] ?? 0);
}

function symbol(row: TreeRow, expected: ExpectedRuns, now: number, colors: Colors): string {
  const { counts } = row;
  if (counts.failed > 0) return colors.red('✖');
  if (counts.cancelled > 0) return colors.yellow('◼');
  if (endedRuns(row) === totalRuns(row, expected)) return colors.green('✔');
  if (counts.running + counts.hanging === 0) return colors.dim('◌');
  return colors.cyan(SPINNER[Math.floor(now / SPINNER_MS) % SPINNER.length] ?? '');
}

function rowText(row: TreeRow, expected: ExpectedRuns, now: number, colors: Colors): string {
  const states = RUN_STATES.filter((state) => row.counts[state] > 0);
  const time = formatDuration((row.endedAt ?? now) - row.startedAt);
  if (row.depth === 0)
    return `${states.map((state) => paint(state, state, colors)).join(', ')}  ${colors.dim(time)}`;
  const total = totalRuns(row, expected);
  const counts = states.map((state) => paint(state, `${row.counts[state]} ${state}`, colors)).join(', ');
  const share = total === 0 ? 0 : (endedRuns(row) + row.underway) / total;
  const done = `${endedRuns(row)}/${total}`.padStart(7);
  return `${bar(share, colors)} ${done}  ${counts}  ${colors.dim(formatBytes(row.bytes))}`;
}

function bar(share: number, colors: Colors): string {
  const full = Math.max(0, Math.min(BAR_CELLS, Math.floor(share * BAR_CELLS)));
  return colors.cyan('━'.repeat(full)) + colors.dim('─'.repeat(BAR_CELLS - full));
}

function paint(state: RunState, text: string, colors: Colors): string {
  switch (state) {
    case 'queued':
      return colors.dim(text);
    case 'running':
    case 'hanging':
      return colors.cyan(text);
    case 'done':
      return colors.green(text);
    case 'cached':
      return colors.magenta(text);
    case 'failed':
      return colors.red(text);
    case 'cancelled':
      return colors.yellow(text);
  }
}
