import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { labelsText } from '../model/labels.js';
import {
  formatRoutineId,
  matchesRoutineId,
  parseRoutineId,
  type NamedRoutineId,
} from '../model/routine-id.js';
import type { RunKind } from './run-kind.js';
import type { WorkerTable } from './worker-table.js';

/** Why no worker can take runs of a kind, for people. */
export function whyNobody(kind: RunKind, workers: WorkerTable): string {
  const { routineId, labels } = kind;
  if (workers.size === 0) return 'no worker is connected';
  const id = parseRoutineId(routineId);
  if (id.form === 'record') return `no routine has the record id ${routineId}`;
  const lacking = workers.lacking(kind);
  if (lacking) return `no worker that offers ${routineId} has the serializer ${lacking.join(', ')}`;
  if (labels && workers.offers(routineId))
    return `no worker that offers ${routineId} has the labels ${labelsText(labels)}`;
  const { version: _, ...anyVersion } = id;
  const others = [...workers.offered].filter((offer) =>
    matchesRoutineId(anyVersion, parseRoutineId(offer) as NamedRoutineId),
  );
  return others.length > 0
    ? `no worker offers ${routineId}; workers offer ${others.slice(0, 10).join(', ')}`
    : `no worker offers a ${id.kind} ${formatRoutineId(anyVersion)}`;
}

/** Why a run fails whose arguments no worker can read. */
export function unreadable({ routineId }: RunKind, lacking: readonly string[]): RoutineEngineError {
  const keys = lacking.map((key) => JSON.stringify(key)).join(', ');
  return new RoutineEngineError(
    'SERIALIZER_UNKNOWN',
    `No worker that offers ${routineId} can read its arguments: they take the serializer ${keys}. Register it in a module ` +
      'that the workers load',
  );
}

/** How many workers can take runs of a kind. */
export function workersOf({ pools }: RunKind): number {
  let workers = 0;
  for (const pool of pools) workers += pool.size;
  return workers;
}
