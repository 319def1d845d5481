import { dirname, relative, resolve } from 'node:path';
import process from 'node:process';
import { EXIT } from '../exit-codes.js';
import { type CommandContext, commandContext } from '../node/context.js';
import { routineModules } from '../node/modules.js';
import { openService } from '../node/open-service.js';
import { writeOut } from '../output/write-out.js';
import type { GivenFlags } from '../settings/settings.js';
import { hearingStopSignals } from '../stop-signals.js';
import { SourceWatch } from './source-watch.js';
import { WorkerProcesses } from './worker-processes.js';

/**
 * Is a service with workers that start anew when a source is saved, until a signal stops it. The address of the service goes
 * to standard output.
 * @param file - the module that the workers offer.
 * @returns the exit code.
 */
export async function dev(file: string, options: { readonly workers: number } & GivenFlags): Promise<number> {
  const context = await commandContext(options);
  routineModules(context, [file]);
  const stop = (signal: string): void => void process.stderr.write(`${signal}: stops workers and service\n`);
  return hearingStopSignals(stop, async (first) => {
    const service = await openService(context);
    const workers = new WorkerProcesses(options.workers, (name) =>
      workerArgs(context, file, name, service.url),
    );
    await writeOut(`${service.url}\n`);
    const watched = await SourceWatch.open(folderOf(context.cwd, file), () => {
      process.stderr.write('a source was saved: starts the workers anew\n');
      void workers.restart();
    });
    await workers.start();
    await first;
    watched.close();
    service.retire();
    await workers.stop();
    await service.close();
    return EXIT.ok;
  });
}

/** That of the project, when the file is in it. */
function folderOf(cwd: string, file: string): string {
  const path = resolve(cwd, file);
  return relative(cwd, path).startsWith('..') ? dirname(path) : cwd;
}

/** What is in hand when a source is saved is given back at once, and runs again as it is now. */
function workerArgs(
  { settings, file: config }: CommandContext,
  file: string,
  name: string,
  url: string,
): string[] {
  const { value: tokenFile, from } = settings.effective('tokenFile');
  return [
    ...['worker', file, '--url', url, '--name', name, '--grace-ms', '0'],
    ...['--slots', String(settings.get('slots')), '--store', settings.get('store')],
    ...['--project', settings.get('project')],
    ...(from === 'flag' && tokenFile !== undefined ? ['--token-file', tokenFile] : []),
    ...(config ? ['--config', resolve(config.dir, config.file)] : []),
  ];
}
