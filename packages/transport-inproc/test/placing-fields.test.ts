import { Lifecycle } from '@routine-engine/core';
import { bodyOf, CLOCK, CODEC } from '@routine-engine/core/adapter';
import { ThreadExecutor, type Service, type WorkerNode } from '@routine-engine/core/host';
import { InprocTransport, inprocTransport } from '@routine-engine/transport-inproc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultParts } from './fixtures/default-parts.ts';
import { serviceOf, workerOf } from './fixtures/nodes.ts';
import { nested } from './fixtures/placed-routines.ts';
import { ScriptedNode } from './fixtures/scripted-node.ts';

const placed = new URL('./fixtures/placed-routines.ts', import.meta.url);
const address = 'inproc:service';
const routines = ['tname:test:leaf:1.0.0', 'tname:test:gpu-leaf:1.0.0'];

let given: Awaited<ReturnType<typeof defaultParts>>;
let transport: InprocTransport;
let service: Service;
let leaves: ScriptedNode;

beforeEach(async () => {
  given = await defaultParts();
  transport = new InprocTransport();
  service = serviceOf(given.parts);
  service.serve(await transport.listen(address));
  leaves = await ScriptedNode.worker(transport, 'leaves', {
    ...{ routines, slots: 8, labels: { gpu: 'yes', zone: 'eu' } },
  });
});

afterEach(async () => {
  await service.close();
  await given.close();
});

/** What was said of where each call of `nested` belongs, in the order of its calls. */
async function placing(): Promise<unknown[]> {
  await expect.poll(() => leaves.asked.length, { timeout: 10_000 }).toBe(4);
  return leaves
    .all('v1.routine.request_start')
    .map(({ routineId, depth, priority, labels }) => [routineId, depth, priority, labels]);
}

function worker(): WorkerNode {
  const { parts } = given;
  return workerOf(parts, {
    ...{ identity: { name: 'nests', project: 'test' }, transport, labels: { nests: 'yes' } },
    executor: new ThreadExecutor({ threads: { modules: [placed] }, clock: parts.get(CLOCK) }),
  });
}

describe('what a run calls', () => {
  it('inherits its priority and lies one deeper, on a background thread', async () => {
    const nests = worker();
    await nests.start();
    const client = await ScriptedNode.client(transport);
    const place = { routineId: 'wfname:test:nested', depth: 4, priority: 7, labels: { nests: 'yes' } };
    const run = { runId: 'run-1', rootRunId: 'run-0', parentRunId: 'run-0', attempt: 1, lease: 0 };
    const args = bodyOf(given.parts.get(CODEC).encode([1]));
    await client.say({ type: 'v1.routine.request_start', ...run, ...place }, args);
    expect(await placing()).toEqual([
      ['tname:test:leaf:1.0.0', 5, 7, { zone: 'eu' }],
      ['tname:test:leaf:1.0.0', 5, -1, { zone: 'eu', gpu: 'yes' }],
      ['tname:test:gpu-leaf:1.0.0', 5, 3, { gpu: 'yes' }],
      ['tname:test:gpu-leaf:1.0.0', 5, 3, { zone: 'eu' }],
    ]);
    await nests.stop();
  });

  it('inherits its priority and lies one deeper, in the calling thread', async () => {
    const plugins = [inprocTransport({ transport, address })];
    const lifecycle = await Lifecycle.init({ project: 'test', plugins });
    // That of the test itself, of which a call outside any run must not be.
    await given.close();
    const answer = nested.with({ priority: 9 })(1);
    answer.catch(() => undefined);
    expect((await placing()).map((each) => (each as unknown[]).slice(1, 3))).toEqual([
      [1, 9],
      [1, -1],
      [1, 3],
      [1, 3],
    ]);
    await lifecycle.shutdown();
    await expect(answer).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
  });
});
