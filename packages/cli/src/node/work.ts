import { hostname } from 'node:os';
import process from 'node:process';
import { Lifecycle } from '@routine-engine/core';
import { RoutineEngineError } from '@routine-engine/core/adapter';
import { worker } from '@routine-engine/core/host';
import { filter, firstValueFrom } from 'rxjs';
import { EXIT } from '../exit-codes.js';
import { preloadsOf } from '../import-module.js';
import { hearingStopSignals } from '../stop-signals.js';
import type { GivenFlags } from '../settings/settings.js';
import { commandContext } from './context.js';
import { routineModules } from './modules.js';
import { nodePlugins } from './plugins.js';
import { waitingForService } from './waiting-transport.js';

/**
 * Is a worker until a signal stops it, or until it has no thread left. A note tells when it takes runs.
 * @param paths - modules that define routines; none: those of the settings.
 * @returns the exit code.
 */
export async function work(paths: readonly string[], flags: GivenFlags): Promise<number> {
  const context = await commandContext(flags);
  const { settings } = context;
  const modules = routineModules(context, paths);
  if (modules.length === 0)
    throw new RoutineEngineError(
      'OPTION_INVALID',
      'A worker needs modules that define routines: routine worker ./routines.ts, ROUTINE_MODULES, or modules of the configuration',
    );
  const name = settings.get('name') ?? ownName();
  const [slots, graceMs] = [settings.get('slots'), settings.get('graceMs')];
  const stopped = new AbortController();
  const forMs = settings.get('connectTimeoutMs') ?? Number.POSITIVE_INFINITY;
  const plugins = waitingForService(await nodePlugins(context), { forMs, signal: stopped.signal });
  // Routines have no use for it.
  delete process.env['ROUTINE_TOKEN'];
  const stop = (signal: string): void =>
    void process.stderr.write(
      `${signal}: takes no more runs, and gives back what does not end within ${graceMs} ms\n`,
    );
  const plugin = worker({
    ...{ modules, preload: preloadsOf(modules), slots, labels: settings.get('labels'), graceMs },
  });
  return hearingStopSignals(stop, async (first) => {
    void first.then(() => stopped.abort());
    const project = settings.get('project');
    const lifecycle = await Lifecycle.init({ project, name, plugins: [...plugins, plugin] }).catch(
      (error: unknown) => {
        if (!stopped.signal.aborted) throw error;
      },
    );
    // It was stopped while it waited for its service.
    if (!lifecycle) return EXIT.ok;
    const exhausted = tellLosses(lifecycle);
    process.stderr.write(`${name} takes runs, ${slots} at once\n`);
    const exitCode = await Promise.race([first.then(() => EXIT.ok), exhausted.then(() => EXIT.failed)]);
    await lifecycle.shutdown();
    return exitCode;
  });
}

/** Notes when the service is lost, and back. @returns when the worker ends by itself. */
async function tellLosses({ events$ }: Lifecycle): Promise<void> {
  events$.subscribe((event) => {
    if (event.type === 'transport.lost')
      process.stderr.write(`lost ${event.address}, and looks for it again\n`);
    if (event.type === 'transport.resynced') process.stderr.write(`is back at ${event.address}\n`);
  });
  await firstValueFrom(
    events$.pipe(filter((event) => event.type === 'worker.status' && event.status === 'TERMINATING')),
    // Nobody asks any more once the lifecycle has shut down.
    { defaultValue: undefined },
  );
}

/** Of the machine and the process, so that two are told apart. */
function ownName(): string {
  const host = hostname()
    .replaceAll(/[^a-zA-Z0-9\-_.]/g, '-')
    .slice(0, 100);
  return `worker-${host}-${process.pid}`;
}
