import type { Lifecycle, RoutineInfo, RunInfo, RunStatus, WorkerInfo } from '@routine-engine/core';
import { EXIT } from '../exit-codes.js';
import { type Column, textTable } from '../output/text-table.js';
import { writeOut } from '../output/write-out.js';
import type { GivenFlags } from '../settings/settings.js';
import { askService } from './ask-service.js';

/** What can be listed. */
export type Listed = 'tasks' | 'workflows' | 'workers' | 'runs';

/** Options of `routine ls` beside the settings. */
export interface ListOptions {
  readonly json?: boolean;
  readonly status?: readonly RunStatus[];
  readonly routine?: string;
  readonly limit?: number;
}

const ROUTINES: readonly Column<RoutineInfo>[] = [
  { head: 'ROUTINE', of: ({ routineId }) => routineId },
  { head: 'WORKERS', of: ({ workers }) => workers },
  { head: 'RECORD', of: ({ recordId }) => recordId },
];
const WORKERS: readonly Column<WorkerInfo>[] = [
  { head: 'WORKER', of: ({ name }) => name },
  { head: 'STATUS', of: ({ status }) => status },
  { head: 'RUNNING', of: ({ running }) => running },
  { head: 'HANGING', of: ({ hanging }) => hanging },
  { head: 'SLOTS', of: ({ slots }) => slots },
  { head: 'ROUTINES', of: ({ routines }) => routines.length },
  { head: 'LABELS', of: ({ labels }) => labelsText(labels) },
];
const RUNS: readonly Column<RunInfo>[] = [
  { head: 'RUN', of: ({ runId }) => runId },
  { head: 'STATUS', of: ({ status }) => status },
  { head: 'ROUTINE', of: ({ routineId }) => routineId },
  { head: 'ATTEMPT', of: ({ attempt }) => attempt },
  { head: 'WORKER', of: ({ worker }) => worker },
  { head: 'REQUESTER', of: ({ requester }) => requester },
];

/** Lists what a service knows. @returns the exit code. */
export async function list(what: Listed, options: ListOptions & GivenFlags): Promise<number> {
  const text = await askService(options, (lifecycle) => listed(lifecycle, what, options));
  await writeOut(text);
  return EXIT.ok;
}

async function listed({ runs }: Lifecycle, what: Listed, options: ListOptions): Promise<string> {
  const { json = false, status, routine, limit } = options;
  if (what === 'workers') return shown(await runs.workers(), WORKERS, json);
  if (what === 'runs') {
    const filter = { ...(status && { status }), ...(routine !== undefined && { routine }) };
    return shown(await runs.list({ ...filter, ...(limit !== undefined && { limit }) }), RUNS, json);
  }
  const prefix = what === 'tasks' ? 'tname:' : 'wfname:';
  const routines = (await runs.routines()).filter(({ routineId }) => routineId.startsWith(prefix));
  return shown(routines, ROUTINES, json);
}

function shown<Row>(rows: readonly Row[], columns: readonly Column<Row>[], json: boolean): string {
  return json ? `${JSON.stringify(rows)}\n` : textTable(rows, columns);
}

/** `gpu=a100,zone=b` */
export function labelsText(labels: WorkerInfo['labels']): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}
