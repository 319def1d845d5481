import { once } from 'node:events';
import { writeFileSync, renameSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SweepPlan } from '../../../examples/spam-sweep/src/sweep.ts';
import { CommandProcess, type Ended } from '../../../packages/cli/test/support/command-process.ts';
import { Journal } from './journal.ts';
import { Member } from './member.ts';
import { Network, type ProxiedNode } from './network.ts';

const ROUTINES = fileURLToPath(new URL('./routines.mjs', import.meta.url));
const CONFIG = fileURLToPath(new URL('./routine.config.mjs', import.meta.url));

export interface ClusterOptions {
  /** An empty directory for all of it. */
  readonly dir: string;
  readonly plan: SweepPlan;
  readonly workers: number;
  readonly slots: number;
  readonly leaseMs: number;
  /** Whether workers have the store of the client; else results reach it through the service only. */
  readonly sharesStore: boolean;
  /** Where the workflow runs: in the client, or on a worker. */
  readonly rootOn: 'client' | 'worker';
  /** Whether nodes reach the service through a network that can go wrong. Default no. */
  readonly isProxied?: boolean;
}

/** A service, workers and a client, each the command `routine` in a process of its own. */
export class Cluster {
  readonly journal: Journal;
  readonly store: string;
  readonly service: Member;
  readonly workers: readonly Member[];
  /** What went wrong with a process, if something did. */
  readonly mishaps: string[] = [];
  readonly #options: ClusterOptions;
  readonly #held: string;
  #port = 0;
  #network: Network | undefined;
  #client: CommandProcess | undefined;

  constructor(options: ClusterOptions) {
    const { dir } = options;
    this.#options = options;
    this.store = join(dir, 'results');
    this.#held = join(dir, 'held');
    writeFileSync(join(dir, 'arguments.json'), JSON.stringify([options.plan]));
    this.hold([]);
    this.journal = new Journal(join(dir, 'journal'));
    this.service = this.#member('service', () => this.#startService(), ['stdout', /ws:\S+\n/]);
    this.workers = Array.from({ length: options.workers }, (_, index) =>
      this.#member('worker', () => this.#startWorker(index + 1), ['stderr', /takes runs/]),
    );
  }

  async start(): Promise<void> {
    await mkdir(this.store, { recursive: true });
    this.#port = await freePort();
    if (this.#options.isProxied) this.#network = await this.#openNetwork();
    await this.service.start();
    await Promise.all(this.workers.map((worker) => worker.start()));
  }

  /** Tasks of these names wait after they have begun, until they are held no more. */
  hold(names: readonly string[]): void {
    writeFileSync(`${this.#held}.new`, JSON.stringify(names));
    renameSync(`${this.#held}.new`, this.#held);
  }

  /** Starts a client, which runs the sweep and prints what came of it. */
  startClient(): CommandProcess {
    const { rootOn, sharesStore } = this.#options;
    // References are of use only where nodes share a store.
    const inFile = [ROUTINES, '--routine', sharesStore ? 'sweep' : 'sweepOfValues'];
    const what = rootOn === 'client' ? inFile : ['wfname:sweep'];
    const url = this.#urlOf(this.workers.length);
    const args = ['run', ...what, '--url', url, '--store', this.store, ...this.#runArgs];
    const client = new CommandProcess(args, this.#run);
    this.#client = client;
    return client;
  }

  /** Ends all processes in order. */
  async stop(): Promise<void> {
    for (const member of [...this.workers, this.service]) await member.stop();
  }

  /** Ends all processes at once. */
  async close(): Promise<void> {
    await Promise.all([...this.workers, this.service].map((member) => member.close()));
    await this.#network?.[Symbol.asyncDispose]();
  }

  /** Between the nodes and the service: the workers in their order, then the client. */
  get network(): Network | undefined {
    return this.#network;
  }

  /**
   * Runs the same sweep in one process.
   * @param store - that of the cluster, or another.
   * @param journal - file that takes the place of the journal.
   */
  runLocally(store: string, journal = this.journal.file): Promise<Ended> {
    const { cwd, env } = this.#run;
    const args = ['run', ROUTINES, '--routine', 'sweep', '--local', '--store', store, ...this.#runArgs];
    return new CommandProcess(args, { cwd, env: { ...env, CHAOS_JOURNAL: journal } }).ended;
  }

  #member(
    role: 'service' | 'worker',
    start: () => CommandProcess,
    ready: readonly ['stdout' | 'stderr', RegExp],
  ): Member {
    return new Member({
      ...{ role, start, journal: this.journal },
      isReady: (command) => command.prints(...ready),
      onMishap: (what) => void this.mishaps.push(`a ${role} ${what}`),
    });
  }

  #startService(): CommandProcess {
    return new CommandProcess(['service', '--port', String(this.#port), '--config', CONFIG], this.#run);
  }

  #startWorker(number: number): CommandProcess {
    const { slots, sharesStore } = this.#options;
    return new CommandProcess(
      [
        ...[
          'worker',
          '--url',
          this.#urlOf(number - 1),
          '--name',
          `worker-${number}`,
          '--slots',
          String(slots),
        ],
        ...['--store', sharesStore ? this.store : 'memory', '--grace-ms', '0', '--config', CONFIG],
      ],
      this.#run,
    );
  }

  #openNetwork(): Promise<Network> {
    const nodes: ProxiedNode[] = this.workers.map((worker) => ({ role: 'worker', pid: () => worker.pid }));
    nodes.push({ role: 'client', pid: () => this.#client?.child.pid });
    // Pulses come five times as often as a lease ends, so half of one is no chance.
    return Network.open(this.#port, nodes, this.journal, this.#options.leaseMs / 2);
  }

  /** Where a node dials. @param node - which worker, from 0, and then the client. */
  #urlOf(node: number): string {
    return `ws://127.0.0.1:${this.#network?.portOf(node) ?? this.#port}/`;
  }

  get #runArgs(): readonly string[] {
    return ['--args-file', join(this.#options.dir, 'arguments.json'), '--json', '--config', CONFIG];
  }

  get #run() {
    const { dir, leaseMs } = this.#options;
    const env = { CHAOS_JOURNAL: this.journal.file, CHAOS_HELD: this.#held, CHAOS_LEASE_MS: String(leaseMs) };
    return { cwd: dir, env };
  }
}

/**
 * A port that the system gives to nobody by itself: while the service is down, no connection of somebody else may come to
 * have it.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer().listen(port, '127.0.0.1');
    const [outcome] = await Promise.race([
      once(server, 'listening').then(() => ['free']),
      once(server, 'error').then(() => ['taken']),
    ]);
    server.close();
    if (outcome === 'free') return port;
  }
}
