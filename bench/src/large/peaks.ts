import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ProcessCluster } from '../processes/cluster.js';
import { memoryOf, resetPeak } from '../processes/process-memory.js';

/** By how much the resident memory of each process grew at most, in MiB. */
export interface Peaks {
  readonly client: number;
  readonly worker: number;
  readonly service: number;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Does something, and tells how much more memory than before the processes had meanwhile. */
export async function peaksOf(cluster: ProcessCluster, act: () => Promise<void>): Promise<Peaks> {
  const pids = [process.pid, cluster.worker.pid, cluster.service.pid];
  // What this process kept from before would make room for what comes. The second waits for what the first began to free.
  collectGarbage();
  collectGarbage();
  const before = await Promise.all(pids.map(memoryOf));
  await Promise.all(pids.map(resetPeak));
  await act();
  const after = await Promise.all(pids.map(memoryOf));
  const [client, worker, service] = after.map(({ peak }, index) => peak - (before[index]?.now ?? 0));
  if (client === undefined || worker === undefined || service === undefined)
    throw new Error('No memory read');
  return { client, worker, service };
}
