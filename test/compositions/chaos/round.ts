import { FsStore } from '@routine-engine/store-fs';
import { plannedCalls, type SweepPlan } from '../../../examples/spam-sweep/src/sweep.ts';
import type { CommandProcess } from '../../../packages/cli/test/support/command-process.ts';
import type { Cluster } from './cluster.ts';
import { pause } from '../network/fault-proxy.ts';
import { digestOf } from './digest.ts';
import type { Fault, FaultPlan } from './fault-plan.ts';
import { EXIT_UNREACHABLE, type Member } from './member.ts';
import type { NetworkPlan } from './network-plan.ts';
import { judge, type Verdict } from './verdict.ts';

/** What came of one sweep. */
export interface RoundReport extends Verdict {
  readonly digest: string | undefined;
  readonly faults: Readonly<Record<Fault['kind'], number>>;
  /** Faults of the network, by their kind. */
  readonly networkFaults: Readonly<Record<string, number>>;
}

/** What befalls a cluster. */
export interface Plans {
  readonly faults: FaultPlan;
  /** Where the network can go wrong, too. */
  readonly network?: NetworkPlan | undefined;
}

/** By how much faults of processes are rarer where there are some of the network. */
const RARER = 4;

/** Sweeps while faults befall the processes, and looks what became of it. */
export class Round {
  readonly #cluster: Cluster;
  readonly #plans: Plans;
  readonly #faults: Record<Fault['kind'], number> = {
    'kill-worker': 0,
    'freeze-worker': 0,
    'kill-service': 0,
    'kill-client': 0,
  };
  readonly #over = new AbortController();
  /** Processes that are to be started again, or woken. */
  readonly #mending = new Set<Promise<void>>();
  #client: CommandProcess | undefined;

  constructor(cluster: Cluster, plans: Plans) {
    this.#cluster = cluster;
    this.#plans = plans;
  }

  /** @param limitMs - a sweep that takes longer counts as lost. */
  async run(sweep: SweepPlan, rootOn: 'client' | 'worker', limitMs: number): Promise<RoundReport> {
    await this.#cluster.start();
    const late = setTimeout(() => this.#over.abort(), limitMs);
    const befalling = Promise.all([this.#befall(), this.#befallNetwork()]);
    const printed = await this.#printed();
    clearTimeout(late);
    this.#over.abort();
    await befalling;
    await Promise.all(this.#mending);
    await this.#cluster.stop();
    const verdict = await judgeCluster(this.#cluster, sweep, rootOn);
    const digest = printed && digestOf(printed, sweep);
    const violations = [...verdict.violations, ...this.#cluster.mishaps];
    const again = printed === undefined ? [] : await findAgain(this.#cluster, printed);
    const networkFaults = this.#cluster.network?.counts ?? {};
    return {
      ...verdict,
      violations: [...violations, ...again],
      digest,
      faults: this.#faults,
      networkFaults,
    };
  }

  /** What the client prints in the end, however often it was killed. */
  async #printed(): Promise<string | undefined> {
    const { signal: over } = this.#over;
    for (;;) {
      const client = this.#cluster.startClient();
      this.#client = client;
      const giveUp = (): void => void client.child.kill('SIGKILL');
      over.addEventListener('abort', giveUp, { once: true });
      const { code, signal, stdout, stderr } = await client.ended;
      over.removeEventListener('abort', giveUp);
      this.#client = undefined;
      if (code === 0) return stdout;
      this.#cluster.journal.note({ type: 'killed', role: 'client', pid: client.child.pid ?? 0 });
      const isMeant = signal === 'SIGKILL' || code === EXIT_UNREACHABLE;
      if (isMeant && !over.aborted) continue;
      const what = over.aborted ? 'the sweep did not end' : `the client ended with ${code ?? signal}`;
      this.#cluster.mishaps.push(`${what}:\n${stderr}`);
      return undefined;
    }
  }

  async #befall(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      const { faults, network } = this.#plans;
      const fault = faults.next(this.#cluster.workers.length);
      await pause(fault.afterMs * (network ? RARER : 1), signal);
      if (signal.aborted) return;
      const done = this.#apply(fault).then(() => void this.#mending.delete(done));
      this.#mending.add(done);
    }
  }

  async #befallNetwork(): Promise<void> {
    const { network } = this.#plans;
    if (network) await this.#cluster.network?.befall(network, this.#over.signal);
  }

  async #apply({ kind, worker, forMs }: Fault): Promise<void> {
    const { workers, service } = this.#cluster;
    if (kind === 'kill-client') {
      if (this.#client?.child.kill('SIGKILL')) this.#faults[kind] += 1;
      return;
    }
    const inTurn = [...workers.slice(worker), ...workers.slice(0, worker)];
    const isFreeze = kind === 'freeze-worker';
    const hit = (kind === 'kill-service' ? [service] : inTurn).find(
      (each) => each.isReady && !(isFreeze && each.isFrozen),
    );
    if (!hit) return;
    this.#faults[kind] += 1;
    await (isFreeze ? this.#freeze(hit, forMs) : this.#restart(hit, forMs));
  }

  async #freeze(member: Member, forMs: number): Promise<void> {
    const { pid } = member;
    member.freeze();
    await pause(forMs, this.#over.signal);
    if (member.pid === pid) member.wake();
  }

  async #restart(member: Member, afterMs: number): Promise<void> {
    await member.kill();
    await pause(afterMs, this.#over.signal);
    await member.start();
  }
}

/** What the journal and the store of a cluster tell. */
export async function judgeCluster(
  { journal, store: dir }: Cluster,
  sweep: SweepPlan,
  rootOn: 'client' | 'worker',
): Promise<Verdict> {
  const planned = Object.values(plannedCalls(sweep)).reduce((sum, calls) => sum + calls);
  const store = new FsStore({ dir, fsync: false, now: Date.now, node: 'judge' });
  const stored = new Map<string, string>();
  for await (const { key, metadata } of store.list()) stored.set(key, metadata.runId);
  await store.close();
  return judge(journal.entries, { stored, planned, rootOn });
}

/** Runs the sweep once more in one process: it is to be answered from the store, with the same. */
export async function findAgain(cluster: Cluster, printed: string): Promise<string[]> {
  const before = cluster.journal.entries.length;
  const { stdout, stderr } = await cluster.runLocally(cluster.store);
  const executed = cluster.journal.entries.slice(before).filter(({ type }) => type === 'begun').length;
  return [
    ...(stdout === printed ? [] : [`the store answers otherwise than the cluster:\n${stderr}`]),
    ...(executed === 0 ? [] : [`${executed} tasks were executed again from the store`]),
  ];
}
