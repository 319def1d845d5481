import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type CommandOptions, CommandProcess, type Ended } from './command-process.js';

export const ROUTINES = fileURLToPath(new URL('../fixtures/routines.ts', import.meta.url));

/** A command that goes on until its test is over. */
export class RunningCommand extends CommandProcess {
  constructor(args: readonly string[], options?: CommandOptions) {
    super(args, options);
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }
}

/** Runs a command to its end. */
export function routine(args: readonly string[], options?: CommandOptions): Promise<Ended> {
  return new RunningCommand(args, options).ended;
}

/** A folder that goes with its test. */
export async function emptyDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'routine-cli-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A service on any free port. */
export async function startService(
  options: CommandOptions = {},
  args: readonly string[] = ['--port', '0'],
): Promise<{ readonly command: RunningCommand; readonly url: string }> {
  const command = new RunningCommand(['service', ...args], options);
  const [url] = await command.prints('stdout', /wss?:\/\/\S+(?=\n)/);
  return { command, url };
}

/** A worker that takes runs. */
export async function startWorker(
  url: string,
  args: readonly string[] = [],
  options: CommandOptions = {},
): Promise<RunningCommand> {
  const all = ['worker', ROUTINES, '--url', url, '--slots', '1', '--store', 'memory', ...args];
  const command = new RunningCommand(all, options);
  await command.prints('stderr', /takes runs/);
  return command;
}
