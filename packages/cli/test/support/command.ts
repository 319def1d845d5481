import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
export const ROUTINES = fileURLToPath(new URL('../fixtures/routines.ts', import.meta.url));

/** What a command that has ended left. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** A command that goes on: its output is heard line by line. */
export class RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';
  readonly #waiting = new Set<() => void>();

  constructor(args: readonly string[], { cwd = tmpdir(), env = {}, input }: CommandOptions = {}) {
    const own = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_|ROUTINE_)/.test(name));
    this.child = spawn(process.execPath, [MAIN, ...args], {
      cwd,
      env: { ...Object.fromEntries(own), ...env },
    });
    this.child.stdin?.end(input ?? '');
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#look();
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#look();
    });
    this.ended = once(this.child, 'close').then(([code, signal]) => {
      this.#look();
      const { stdout, stderr } = this;
      return { code, signal, stdout, stderr } as Ended;
    });
    onTestFinished(async () => {
      this.child.kill('SIGKILL');
      await this.ended;
    });
  }

  /** Waits until something was printed. Fails when the command ends before. */
  async prints(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this[stream]);
      if (found) return found;
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(`ended without ${pattern}:\n${this.stdout}\n${this.stderr}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  #look(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
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
