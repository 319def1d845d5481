import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** Workers, each a process of its own, that are all started and stopped together. */
export class WorkerProcesses {
  readonly #argsOf: (name: string) => readonly string[];
  readonly #count: number;
  #children: readonly ChildProcess[] = [];
  /** What is being done, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #isRestarting = false;

  /** @param argsOf - the command line of a worker. */
  constructor(count: number, argsOf: (name: string) => readonly string[]) {
    this.#count = count;
    this.#argsOf = argsOf;
  }

  start(): Promise<void> {
    return this.#then(async () => this.#startAll());
  }

  /** Stops all and starts them anew. Asked again before that begins, it is done once. */
  restart(): Promise<void> {
    if (this.#isRestarting) return this.#work;
    this.#isRestarting = true;
    return this.#then(async () => {
      this.#isRestarting = false;
      await this.#stopAll();
      this.#startAll();
    });
  }

  stop(): Promise<void> {
    return this.#then(() => this.#stopAll());
  }

  #then(next: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(next);
    return this.#work;
  }

  #startAll(): void {
    this.#children = Array.from({ length: this.#count }, (_, index) => {
      const name = `dev-${index + 1}`;
      // In a group of its own, so that Ctrl-C is told here alone; with a channel, so that it ends when this process does.
      const child = spawn(process.execPath, [MAIN, ...this.#argsOf(name)], {
        detached: true,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      child.on('error', (error) => process.stderr.write(`${name} could not be started: ${error.message}\n`));
      child.on('exit', (code, signal) => {
        if (this.#children.includes(child))
          process.stderr.write(
            `${name} ended by itself (${signal ?? code}); save a file to start it again\n`,
          );
      });
      return child;
    });
  }

  async #stopAll(): Promise<void> {
    const stopping = this.#children;
    this.#children = [];
    await Promise.all(stopping.map(end));
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
