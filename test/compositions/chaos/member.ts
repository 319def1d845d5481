import { setTimeout as delay } from 'node:timers/promises';
import type { CommandProcess } from '../../../packages/cli/test/support/command-process.ts';
import type { Journal, Role } from './journal.ts';

/** What the command ends with when the service can't be reached: whoever supervises it starts it again. */
export const EXIT_UNREACHABLE = 3;
const RESTART_MS = 200;

interface MemberParts {
  readonly role: Role;
  readonly journal: Journal;
  readonly start: () => CommandProcess;
  /** What it prints when it is ready. */
  readonly isReady: (command: CommandProcess) => Promise<unknown>;
  /** It ended though nobody wanted it to. */
  readonly onMishap: (what: string) => void;
}

/** One place in a cluster, and the process that is in it. */
export class Member {
  readonly #parts: MemberParts;
  #command: CommandProcess | undefined;
  /** Processes that are meant to end. */
  readonly #ending = new WeakSet<CommandProcess>();
  #isClosed = false;
  isFrozen = false;
  #isReady = false;

  constructor(parts: MemberParts) {
    this.#parts = parts;
  }

  /** Whether its process has come as far as to take part. */
  get isReady(): boolean {
    return this.#isReady;
  }

  get pid(): number | undefined {
    return this.#command?.child.pid;
  }

  /** Starts a process, again as long as it does not reach the service. Resolves when it is ready, or was killed before. */
  async start(): Promise<void> {
    while (!this.#isClosed) {
      const command = this.#parts.start();
      this.#command = command;
      const ended = this.#ended(command);
      const isReady = this.#parts.isReady(command).then(
        () => true,
        () => false,
      );
      if (await isReady) {
        this.#isReady = this.#command === command;
        return;
      }
      if (!(await ended)) return;
      await delay(RESTART_MS);
    }
  }

  /** Kills the process, frozen or not, without any notice. */
  async kill(): Promise<void> {
    const command = this.#leave();
    if (!command) return;
    command.child.kill('SIGKILL');
    await command.ended;
    this.#note('killed', command);
  }

  freeze(): void {
    if (!this.#command || this.isFrozen) return;
    this.isFrozen = true;
    this.#command.child.kill('SIGSTOP');
    this.#note('frozen', this.#command);
  }

  wake(): void {
    if (!this.#command || !this.isFrozen) return;
    this.isFrozen = false;
    this.#command.child.kill('SIGCONT');
    this.#note('woken', this.#command);
  }

  /** Has the process end in order. */
  async stop(): Promise<void> {
    this.wake();
    const command = this.#leave();
    if (!command) return;
    command.child.kill('SIGTERM');
    const { code, signal, stderr } = await command.ended;
    if (code !== 0) this.#parts.onMishap(`stopped, it ended with ${code ?? signal}:\n${stderr}`);
  }

  /** Kills the process, and starts no other. */
  close(): Promise<void> {
    this.#isClosed = true;
    return this.kill();
  }

  /** @returns whether it ended for want of a service. */
  async #ended(command: CommandProcess): Promise<boolean> {
    const { code, signal, stderr } = await command.ended;
    const isMeant = this.#ending.has(command);
    if (this.#command === command) this.#leave();
    if (isMeant) return false;
    if (code === EXIT_UNREACHABLE) return true;
    this.#parts.onMishap(`ended by itself with ${code ?? signal}:\n${stderr}`);
    return false;
  }

  #leave(): CommandProcess | undefined {
    const command = this.#command;
    this.#command = undefined;
    this.#isReady = false;
    this.isFrozen = false;
    if (command) this.#ending.add(command);
    return command;
  }

  #note(type: 'killed' | 'frozen' | 'woken', { child }: CommandProcess): void {
    this.#parts.journal.note({ type, role: this.#parts.role, pid: child.pid ?? 0 });
  }
}
