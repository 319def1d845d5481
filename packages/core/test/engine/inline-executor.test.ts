import { expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { Cancellation } from '../../src/context/cancellation.js';
import { InlineExecutor } from '../../src/engine/inline-executor.js';
import { systemClock } from '../../src/lifecycle/platform/system-clock.js';
import { uuidIds } from '../../src/lifecycle/platform/uuid-ids.js';
import type { RoutineCatalog } from '../../src/ports/routine-catalog.js';
import type { RunHost } from '../../src/ports/executor.js';

const codec = new MsgpackrCodec();

it('a body does not begin when its run is cancelled already, such as while its result was looked up', async () => {
  // Found by the simulation with seed 20075774.
  const cancel = new Cancellation();
  cancel.cancel(new Error('the worker shuts down'));
  const told: string[] = [];
  const host = { cancel, starting: () => told.push('starting') } as unknown as RunHost;
  const found = (): never => {
    throw new Error('The body was looked for');
  };
  const catalog = { get: found, find: found } as unknown as RoutineCatalog;
  const executor = new InlineExecutor({ codec, catalog, clock: systemClock, ids: uuidIds });
  const run = { runId: 'run-1', rootRunId: 'run-1', routineId: 'tname:t:t:1.0.0', attempt: 1 };
  const outcome = await executor.execute({ ...run, arguments: codec.encode([]) }, host);
  expect(outcome).toMatchObject({ status: 'CANCELLED', error: { message: 'the worker shuts down' } });
  expect(told).toEqual([]);
});
