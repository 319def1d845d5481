import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { Lifecycle, parseRoutineId } from '@routine-engine/core';
import { type EnginePlugin, RoutineEngineError, TRANSPORT } from '@routine-engine/core/adapter';
import { EXIT } from '../exit-codes.js';
import { importModule } from '../import-module.js';
import { type CommandContext, commandContext, isConfigured } from '../node/context.js';
import { routineModules } from '../node/modules.js';
import { localPlugins, nodePlugins } from '../node/plugins.js';
import { waitingForService } from '../node/waiting-transport.js';
import { showProgress } from '../progress/show-progress.js';
import type { GivenFlags } from '../settings/settings.js';
import { exitCodeOfSignal, hearingStopSignals, type StopSignal } from '../stop-signals.js';
import { failureText } from '../tell-failure.js';
import { findRoutine } from './find-routine.js';
import { printResult } from '../output/print-result.js';
import { readArguments } from './read-arguments.js';

/** Options of `routine run` beside the settings. */
export interface RunOptions {
  readonly routine?: string;
  readonly args?: string;
  readonly argsFile?: string;
  readonly local?: boolean;
  readonly json?: boolean;
}

/** Runs a routine, given its lifecycle. */
type Call = (lifecycle: Lifecycle, signal: AbortSignal) => Promise<unknown>;

/**
 * Runs a routine and prints its result.
 * @param target - a routine id, or a file.
 * @param rest - what of the command line is no option.
 * @returns the exit code.
 */
export async function run(
  target: string,
  rest: readonly string[],
  options: RunOptions & GivenFlags,
): Promise<number> {
  const context = await commandContext(options);
  const { args: json, argsFile } = options;
  const args = await readArguments({
    rest,
    ...(json !== undefined && { args: json }),
    ...(argsFile !== undefined && { argsFile }),
  });
  const call = await callOf(context, target, options, args);
  const { settings } = context;
  const lifecycle = await Lifecycle.init({
    project: settings.get('project'),
    name: settings.get('name') ?? 'client',
    plugins: await (isLinked(context, options) ? linkedPlugins(context) : localPlugins(context)),
  });
  return settled(lifecycle, call, options.json === true);
}

/** How long a run waits for its service to be there, in milliseconds, unless it is told otherwise. */
const CONNECT_TIMEOUT_MS = 30_000;

async function linkedPlugins(context: CommandContext): Promise<readonly EnginePlugin[]> {
  const forMs = context.settings.get('connectTimeoutMs') ?? CONNECT_TIMEOUT_MS;
  return waitingForService(await nodePlugins(context), { forMs });
}

/** Whether a service was named. */
function isLinked(context: CommandContext, { local }: RunOptions): boolean {
  if (local) return false;
  return context.settings.effective('url').from !== 'default' || isConfigured(context, TRANSPORT);
}

async function callOf(
  context: CommandContext,
  target: string,
  options: RunOptions,
  args: readonly unknown[],
): Promise<Call> {
  const { routine: wanted } = options;
  const path = resolve(context.cwd, target);
  if (!/^(tname|wfname|tdb|wfdb):/.test(target)) {
    if (!existsSync(path)) {
      const message = `${target} is neither a file nor a routine id, such as wfname:sweep or tname:train:1.0.0`;
      throw new RoutineEngineError('OPTION_INVALID', message);
    }
    const routine = await findRoutine(pathToFileURL(path), wanted);
    return (lifecycle, signal) => lifecycle.run(() => routine.with({ signal })(...args));
  }
  parseRoutineId(target);
  if (wanted !== undefined)
    throw new RoutineEngineError('OPTION_INVALID', '--routine chooses among the routines of a file');
  if (!isLinked(context, options))
    for (const module of routineModules(context, [])) await importModule(module);
  return (lifecycle, signal) => lifecycle.call(target, args, { signal });
}

async function settled(lifecycle: Lifecycle, call: Call, json: boolean): Promise<number> {
  const stop = new AbortController();
  let stoppedBy: StopSignal | undefined;
  const cancel = (signal: StopSignal): void => {
    stoppedBy = signal;
    process.stderr.write(`${signal}: cancels the run\n`);
    stop.abort();
  };
  const endProgress = showProgress(lifecycle.events$, process.stderr);
  return hearingStopSignals(cancel, async () => {
    try {
      const result = await call(lifecycle, stop.signal).finally(endProgress);
      await printResult(result, json);
      return EXIT.ok;
    } catch (error) {
      process.stderr.write(`${failureText(error)}\n`);
      return stoppedBy ? exitCodeOfSignal(stoppedBy) : exitCodeOfRun(error);
    } finally {
      await lifecycle.shutdown();
    }
  });
}

/** A run that failed, whatever its routine threw; or one that never began. */
function exitCodeOfRun(error: unknown): number {
  const isUnknown = error instanceof RoutineEngineError && /^ROUTINE_(VERSION_)?UNKNOWN$/.test(error.code);
  return isUnknown ? EXIT.notFound : EXIT.failed;
}
