import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A process of this benchmark, from its start to its end. */
export class ChildNode implements AsyncDisposable {
  readonly pid: number;
  readonly #process: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#process = child;
    this.pid = child.pid ?? Number.NaN;
  }

  /**
   * Starts a process and waits until it is ready.
   * @param file - in this folder, such as `service.js`.
   * @param options - what it is told; plain data.
   * @param flags - of Node.
   */
  static async start(file: string, options: object, flags: readonly string[] = []): Promise<ChildNode> {
    const execArgv = [...process.execArgv, ...flags];
    const child = fork(new URL(`./${file}`, import.meta.url), [JSON.stringify(options)], { execArgv });
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${file} ended with code ${String(code)} before it was ready`);
    });
    await Promise.race([once(child, 'message'), ended]);
    ended.catch(() => undefined);
    return new ChildNode(child);
  }

  /** Asks it something, and gives its answer. One question at a time. @throws when it ends before. */
  async ask(question: object): Promise<unknown> {
    const over = new AbortController();
    const { signal } = over;
    const answer = once(this.#process, 'message', { signal });
    const exit = once(this.#process, 'exit', { signal }).then(([code]) => {
      throw new Error(`Process ${this.pid} ended with code ${String(code)} and left a question open`);
    });
    this.#process.send(question);
    try {
      return ((await Promise.race([answer, exit])) as unknown[])[0];
    } finally {
      over.abort();
      await Promise.allSettled([answer, exit]);
    }
  }

  /** Lets it end by itself. @throws when it fails at that. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const exit = once(this.#process, 'exit');
    this.#process.disconnect();
    const [code] = (await exit) as unknown[];
    if (code !== 0) throw new Error(`Process ${this.pid} ended with code ${String(code)}`);
  }
}
