import type { WorkerInfo } from '../model/cluster-info.js';
import { statusOfCounts } from '../model/statuses.js';
import { isAlive } from './matchmaker.js';
import type { WorkerEntry } from './worker-entry.js';

export function workerInfo(worker: WorkerEntry): WorkerInfo {
  const { node, slots, inbox, acceptsWork, labels = {}, routines, computing, hanging } = worker;
  const { status } = worker;
  return {
    ...{ name: node.name, slots, inbox, acceptsWork, labels, hanging },
    // What the service keeps tells whether it is there, not what it does.
    status: isAlive(status) ? statusOfCounts({ running: computing, hanging }) : status,
    routines: [...routines.keys()],
    running: computing,
  };
}
