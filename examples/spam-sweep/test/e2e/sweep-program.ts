import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The built program: signals and background threads are those of a user's process. */
const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** `spam-sweep` in a process of its own. */
export class SweepProgram {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #closed: Promise<unknown[]>;

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#closed = once(this.child, 'close');
  }

  /** Settles once standard error matches; rejects when the program ends before. */
  async says(pattern: RegExp): Promise<void> {
    const heard = new Promise<void>((resolve) => {
      const listen = () => {
        if (!pattern.test(this.stderr)) return;
        this.child.stderr?.off('data', listen);
        resolve();
      };
      this.child.stderr?.on('data', listen);
      listen();
    });
    const ended = this.#closed.then(() => {
      throw new Error(`ended without saying ${String(pattern)}:\n${this.stderr}`);
    });
    await Promise.race([heard, ended]);
  }

  /** @returns the exit code, or the name of the signal that ended it. */
  async end(): Promise<unknown> {
    const [code, signal] = await this.#closed;
    return code ?? signal;
  }

  /** For the end of a test that failed. */
  kill(): void {
    this.child.kill('SIGKILL');
  }
}
