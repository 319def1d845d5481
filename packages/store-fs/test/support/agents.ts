import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { StoreEvent } from '@routine-engine/core/adapter';
import { onTestFinished } from 'vitest';

const AGENT = fileURLToPath(new URL('agent.mjs', import.meta.url));

/** What an agent is asked for; `operation` names one of those in agent.mjs. */
export interface Order {
  readonly operation: string;
  readonly [name: string]: unknown;
}

/** At which file operation a process kills itself: the one of that number, of all or of those of a name. */
export interface KillPoint {
  readonly count: number;
  readonly operation?: string;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly event?: StoreEvent;
}

/** What an order came to in a process that was killed before it answered. */
export const KILLED = Symbol('killed');

/** A process that has a store open. */
export class Agent {
  /** What its store told. */
  readonly events: StoreEvent[] = [];
  /** Resolves when the process has ended. */
  readonly ended: Promise<unknown>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer | typeof KILLED) => void>();
  #orders = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (answer: Answer) => {
      if (answer.event) this.events.push(answer.event);
      else this.#waiting.get(answer.id)?.(answer);
    });
    // The channel ends when its last message was heard, which may be after the process did.
    this.ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')]).then(() => {
      for (const settle of this.#waiting.values()) settle(KILLED);
      this.#waiting.clear();
    });
  }

  static async open(
    dir: string,
    { uid, ...options }: { fsync?: boolean; kill?: KillPoint; uid?: number } = {},
  ): Promise<Agent> {
    const child = fork(AGENT, {
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      ...(uid !== undefined && { uid }),
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const agent = new Agent(child);
    await agent.ask({ operation: 'open', dir, fsync: false, ...options });
    return agent;
  }

  /** @returns what it came to, or {@link KILLED}. @throws an error with the code that the store threw. */
  async ask<T>(order: Order): Promise<T | typeof KILLED> {
    const id = (this.#orders += 1);
    if (!this.#child.connected) return KILLED;
    const answered = new Promise<Answer | typeof KILLED>((settle) => this.#waiting.set(id, settle));
    this.#child.send({ ...order, id }, () => undefined);
    const answer = await answered;
    this.#waiting.delete(id);
    if (answer === KILLED) return KILLED;
    if (answer.code) throw Object.assign(new Error(answer.message), { code: answer.code });
    return answer.value as T;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async close(): Promise<void> {
    await this.ask({ operation: 'close' });
    await this.ended;
  }
}
