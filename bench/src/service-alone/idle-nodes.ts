import { optionsOfParent, serveParent } from '../processes/parent.js';
import { memoryInUse, ServiceAlone, type PlayedNode } from './service-alone.js';

/** What the idle cluster is like. */
export interface IdleOptions {
  readonly workers: number;
  /** How many routines each offers. */
  readonly routines: number;
  /** Minutes of the service's own time to let go by. */
  readonly minutes: number;
}

/** What it cost. */
export interface IdleCosts {
  /** Share of one core, 0 to 1, while nothing happens but heartbeats. */
  readonly share: number;
  /** KiB for each worker, what plays it included. */
  readonly kibibytes: number;
  /** Microseconds for each pulse that was asked for and came. */
  readonly pulse: number;
}

const MINUTE_MS = 60_000;
const options = optionsOfParent<IdleOptions>();
const routines = Array.from({ length: options.routines }, (_, n) => ({
  routineId: `tname:bench:routine-${n}:1.0.0`,
  sourceHash: String(n).padStart(64, '0'),
}));

function measureIdle(): IdleCosts {
  const alone = new ServiceAlone();
  let pulses = 0;
  // Until it was asked whether it is there.
  const waiting: PlayedNode[] = [];
  const before = memoryInUse();
  for (let made = 0; made < options.workers; made += 1) {
    const worker: PlayedNode = alone.node('worker', `worker-${made}`, (header) => {
      if (header['type'] === 'v1.heartbeat.check_pulse') waiting.push(worker);
    });
    // Each has a list of its own, as a decoder makes it.
    const own = routines.map((routine) => ({ ...routine }));
    worker.say({ type: 'v1.worker.ready', routines: own, slots: 4, inbox: 8 });
  }
  const kibibytes = (memoryInUse() - before) / options.workers / 1_024;
  const startedAt = process.cpuUsage();
  for (let elapsed = 0; elapsed < options.minutes * MINUTE_MS; elapsed += 100) {
    alone.clock.advance(100);
    for (let worker = waiting.pop(); worker; worker = waiting.pop()) {
      pulses += 1;
      worker.say({ type: 'v1.heartbeat.give_pulse', status: 'IDLE' });
    }
  }
  const { user, system } = process.cpuUsage(startedAt);
  if (pulses < options.workers * options.minutes * 25) throw new Error(`Only ${pulses} pulses came`);
  const spent = user + system;
  return { share: spent / 1_000 / (options.minutes * MINUTE_MS), kibibytes, pulse: spent / pulses };
}

serveParent(() => Promise.resolve(), measureIdle);
