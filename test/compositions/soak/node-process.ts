import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A node of the soak in a process of its own, which answers what it is asked. */
export class NodeProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  /** Rejects when it ends though nobody wanted it to. */
  readonly #failed: Promise<never>;
  #isEnding = false;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
    this.#failed = once(child, 'exit').then(([code, signal]) => {
      if (this.#isEnding && code === 0) return new Promise<never>(() => undefined);
      throw new Error(`${name} ended with ${String(code ?? signal)}`);
    });
    // Whoever asks something hears of it.
    this.#failed.catch(() => undefined);
  }

  /** @param file - in this folder, such as `worker.mjs`. Resolves when it is ready. */
  static async start(name: string, file: string, args: readonly (string | number)[]): Promise<NodeProcess> {
    const path = fileURLToPath(new URL(`./${file}`, import.meta.url));
    const child = fork(path, args.map(String), { execArgv: ['--expose-gc'] });
    const started = new NodeProcess(name, child);
    await Promise.race([once(child, 'message'), started.#failed]);
    return started;
  }

  async ask(what: string): Promise<Record<string, number>> {
    const answer = once(this.#child, 'message');
    this.#child.send(what);
    return ((await Promise.race([answer, this.#failed])) as [Record<string, number>])[0];
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#isEnding = true;
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    const [code] = (await exit) as [number | null];
    if (code !== 0) throw new Error(`${this.name} ended with ${String(code)} when it was stopped`);
  }

  kill(): void {
    this.#isEnding = true;
    this.#child.kill('SIGKILL');
  }
}
