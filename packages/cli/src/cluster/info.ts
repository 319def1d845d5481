import process from 'node:process';
import type { Lifecycle, RoutineInfo, RunInfo, WorkerInfo } from '@routine-engine/core';
import { matchesRoutineId, parseRoutineId } from '@routine-engine/core';
import { EXIT } from '../exit-codes.js';
import { printable } from '../output/printable.js';
import { writeOut } from '../output/write-out.js';
import type { GivenFlags } from '../settings/settings.js';
import { askService } from './ask-service.js';
import { labelsText } from './list.js';

/** Most items that a service lists. */
const MOST = 1_000;
const NAME_WIDTH = 13;

/** What a service has in hand, counted. The first 1,000 of each are counted. */
interface ClusterInfo {
  readonly workers: { readonly count: number; readonly slots: number; readonly statuses: Counts };
  readonly routines: { readonly tasks: number; readonly workflows: number };
  readonly runs: { readonly count: number; readonly statuses: Counts };
}
type Counts = Readonly<Record<string, number>>;

/** What is told of one id; `undefined` for what is not known. */
type Found =
  | { readonly kind: 'run'; readonly run: Partial<RunInfo>; readonly children: readonly RunInfo[] }
  | {
      readonly kind: 'routine';
      readonly routines: readonly (RoutineInfo & { readonly offeredBy: readonly string[] })[];
    }
  | { readonly kind: 'worker'; readonly worker: WorkerInfo; readonly runs: readonly RunInfo[] };

/**
 * Tells of the whole cluster, or of one run, routine or worker.
 * @param id - a run id, a routine id or pattern, or the name of a worker.
 * @returns the exit code.
 */
export async function info(
  id: string | undefined,
  options: { readonly json?: boolean } & GivenFlags,
): Promise<number> {
  const told = await askService<ClusterInfo | Found | undefined>(options, (lifecycle) =>
    id === undefined ? clusterInfo(lifecycle) : find(lifecycle, id),
  );
  if (told === undefined) {
    process.stderr.write(`The service knows no run, routine or worker ${id}\n`);
    return EXIT.notFound;
  }
  await writeOut(options.json ? `${JSON.stringify(told)}\n` : textOf(told));
  return EXIT.ok;
}

async function clusterInfo({ runs }: Lifecycle): Promise<ClusterInfo> {
  const [workers, routines, inHand] = await Promise.all([
    runs.workers(),
    runs.routines(),
    runs.list({ limit: MOST }),
  ]);
  const tasks = routines.filter(({ routineId }) => routineId.startsWith('tname:')).length;
  return {
    workers: {
      count: workers.length,
      slots: workers.reduce((sum, { slots }) => sum + slots, 0),
      statuses: counted(workers),
    },
    routines: { tasks, workflows: routines.length - tasks },
    runs: { count: inHand.length, statuses: counted(inHand) },
  };
}

function counted(items: readonly { readonly status: string }[]): Counts {
  const counts = new Map<string, number>();
  for (const { status } of items) counts.set(status, (counts.get(status) ?? 0) + 1);
  return Object.fromEntries(counts);
}

async function find({ runs }: Lifecycle, id: string): Promise<Found | undefined> {
  if (/^(tname|wfname|tdb|wfdb):/.test(id))
    return findRoutines(await runs.routines(), await runs.workers(), id);
  const worker = (await runs.workers()).find(({ name }) => name === id);
  const inHand = await runs.list({ limit: MOST });
  if (worker) return { kind: 'worker', worker, runs: inHand.filter((run) => run.worker === id) };
  const handle = await runs.get(id);
  if (!handle) return undefined;
  const { runId, routineId, status } = handle;
  const run = inHand.find((each) => each.runId === id) ?? { runId, routineId, status };
  return { kind: 'run', run, children: await runs.list({ parentRunId: id, limit: MOST }) };
}

function findRoutines(
  routines: readonly RoutineInfo[],
  workers: readonly WorkerInfo[],
  id: string,
): Found | undefined {
  const pattern = parseRoutineId(id);
  const found = routines.filter(({ routineId, recordId }) =>
    pattern.form === 'record' ? recordId === id : matchesRoutineId(pattern, parseRoutineId(routineId)),
  );
  if (found.length === 0) return undefined;
  const offeredBy = (routineId: string): string[] =>
    workers.filter((worker) => worker.routines.includes(routineId)).map(({ name }) => name);
  return {
    kind: 'routine',
    routines: found.map((routine) => ({ ...routine, offeredBy: offeredBy(routine.routineId) })),
  };
}

function textOf(told: ClusterInfo | Found): string {
  const lines = 'kind' in told ? linesOf(told) : clusterLines(told);
  return printable(`${lines.join('\n')}\n`);
}

function clusterLines({ workers, routines, runs }: ClusterInfo): string[] {
  return [
    `workers   ${workers.count}, with ${workers.slots} slots${countsText(workers.statuses)}`,
    `routines  ${routines.tasks} tasks, ${routines.workflows} workflows`,
    `runs      ${runs.count}${countsText(runs.statuses)}`,
  ];
}

function countsText(counts: Counts): string {
  const parts = Object.entries(counts).map(([status, count]) => `${count} ${status}`);
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}

function linesOf(found: Found): string[] {
  switch (found.kind) {
    case 'run':
      return [
        ...fieldLines(found.run),
        ...found.children.map((run) => `${'sub-run'.padEnd(NAME_WIDTH)}${runText(run)}`),
      ];
    case 'routine':
      return found.routines.map(
        ({ routineId, recordId, offeredBy }) =>
          `${routineId} (${recordId}) of ${offeredBy.length === 0 ? 'no worker now' : offeredBy.join(', ')}`,
      );
    case 'worker': {
      const { labels, routines, ...rest } = found.worker;
      const lines = fieldLines({ ...rest, labels: labelsText(labels) });
      return [
        ...lines,
        ...routines.map((id) => `${'routine'.padEnd(NAME_WIDTH)}${id}`),
        ...found.runs.map((run) => `${'run'.padEnd(NAME_WIDTH)}${runText(run)}`),
      ];
    }
  }
}

function runText({ runId, status, routineId }: RunInfo): string {
  return `${runId} ${status} ${routineId}`;
}

function fieldLines(fields: object): string[] {
  return Object.entries(fields)
    .filter(
      ([, value]) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
    )
    .map(
      ([name, value]) =>
        `${name.padEnd(NAME_WIDTH)}${Array.isArray(value) ? value.join(', ') : String(value)}`,
    );
}
