import { parentPort, workerData } from 'node:worker_threads';
import { MsgpackrCodec } from '../codec/msgpackr-codec.js';
import { openAmbient } from '../context/ambient.js';
import { offeredRoutines } from '../define/offered-routines.js';
import { registry } from '../define/registry.js';
import { definedSerializers } from '../define/serializers.js';
import { toPlainError } from '../errors/error-conversion.js';
import { systemClock } from '../lifecycle/platform/system-clock.js';
import { uuidIds } from '../lifecycle/platform/uuid-ids.js';
import { Guest } from './guest.js';
import { loadModules } from './load-modules.js';
import type { ThreadStart, ToGuest, ToHost } from './messages.js';
import { ParcelPort } from './parcel-port.js';

/** What a background thread runs: always the built file, since no loader is there yet. */
if (!parentPort)
  throw new Error('@routine-engine/core: thread/entry is the entry of a background thread, not a module');

const start = workerData as ThreadStart;
const hostPort = parentPort;
const port = new ParcelPort<ToHost, ToGuest>(hostPort, systemClock);

try {
  await loadModules(start.modules, start.preload);
  // After the modules, which may define serializers.
  const codec = new MsgpackrCodec({ serializers: definedSerializers() });
  const guest = new Guest({
    port,
    codec,
    catalog: registry,
    clock: systemClock,
    ids: uuidIds,
    project: start.project,
    computing: new Int32Array(start.computing),
  });
  // The memory limit has no such hook: there the run that began last is to blame.
  process.on('exit', () => guest.blame());
  process.on('uncaughtExceptionMonitor', () => guest.blame());
  openAmbient(guest, 'background thread');
  port.listen((parcel) => guest.receive(parcel));
  const routines = offeredRoutines(registry, start.project);
  port.send({ kind: 'ready', offer: { routines, serializers: codec.serializers } });
} catch (error) {
  port.send({ kind: 'broken', error: toPlainError(error) });
  port.flush();
  hostPort.close();
}
