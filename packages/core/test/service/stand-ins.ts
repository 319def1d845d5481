import type { Labels } from '../../src/model/labels.js';
import type { RequestStart } from '../../src/protocol/directives.js';
import type { NodeSession } from '../../src/service/node-session.js';
import type { RunRecord } from '../../src/service/run-record.js';
import type { WorkerEntry } from '../../src/service/worker-entry.js';
import type { WorkerTable } from '../../src/service/worker-table.js';

export const TRAIN = 'tname:test:train:1.0.0';

/** What a worker says of itself, unless a test says otherwise. */
export interface Said {
  readonly routines?: readonly string[];
  readonly slots?: number;
  readonly inbox?: number;
  readonly store?: string;
  readonly labels?: Labels;
}

/** Adds a worker that nobody sends anything. */
export function addWorker(table: WorkerTable, said: Said = {}): WorkerEntry {
  const { routines = [TRAIN], slots = 1, inbox = 0, store, labels } = said;
  const offered = new Map(routines.map((routineId) => [routineId, { routineId }]));
  const node = {} as NodeSession;
  const [acceptsWork, serializers] = [true, new Set<string>()];
  return table.add({ node, routines: offered, slots, inbox, store, labels, acceptsWork, serializers });
}

let made = 0;

/** A run that was just accepted. */
export function runOf(request: Partial<RequestStart> = {}, more: Partial<RunRecord> = {}): RunRecord {
  made += 1;
  const runId = `run-${made}`;
  const start = { type: 'v1.routine.request_start', runId, rootRunId: runId, attempt: 1, lease: 0 } as const;
  return {
    request: { ...start, routineId: TRAIN, ...request },
    ...{ body: undefined, requester: {} as NodeSession, order: made, attempt: 0, lease: 0 },
    ...{
      askedIn: 1,
      isTakenIn: false,
      downfalls: 0,
      losses: 0,
      expectedMs: 0,
      started: false,
      hanging: false,
      told: false,
    },
    ...{ turn: 0, line: undefined, before: undefined, behind: undefined, heapIndex: -1 },
    ...more,
  };
}
