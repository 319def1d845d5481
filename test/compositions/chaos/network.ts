import { BOTH, FaultProxy, pause } from '../network/fault-proxy.ts';
import type { Journal, Role } from './journal.ts';
import type { NetworkFault, NetworkPlan } from './network-plan.ts';

/** How often it is told that a node is still silent. */
const TOLD_EVERY_MS = 500;

/** A node whose connections go through a proxy. */
export interface ProxiedNode {
  readonly role: Role;
  /** Its process, at the moment. */
  readonly pid: () => number | undefined;
}

/** The network between the nodes of a cluster and its service. */
export class Network implements AsyncDisposable {
  readonly counts: Record<NetworkFault['kind'], number> = {
    ...{ cut: 0, reset: 0, 'half-open': 0, 'one-way': 0, partition: 0 },
    ...{ delay: 0, 'slow-down': 0, refuse: 0 },
  };
  readonly #paths: readonly Path[];

  private constructor(paths: readonly Path[]) {
    this.#paths = paths;
  }

  /**
   * @param port - of the service.
   * @param silentMs - a node of which nothing was heard for so long is told of in the journal.
   */
  static async open(
    port: number,
    nodes: readonly ProxiedNode[],
    journal: Journal,
    silentMs: number,
  ): Promise<Network> {
    return new Network(await Promise.all(nodes.map((node) => Path.open(port, node, journal, silentMs))));
  }

  /** Where a node dials. @param index - of the node. */
  portOf(index: number): number {
    return this.#pathOf(index).proxy.port;
  }

  /** Has one fault befall a node. Resolves when all is well again. */
  async befallNode(index: number, fault: NetworkFault, signal: AbortSignal): Promise<void> {
    await this.#pathOf(index).befall(fault, signal);
  }

  /** Has faults befall it until the signal. */
  async befall(plan: Pick<NetworkPlan, 'next'>, signal: AbortSignal): Promise<void> {
    const mending = new Set<Promise<void>>();
    while (!signal.aborted) {
      const fault = plan.next(this.#paths.length);
      await pause(fault.afterMs, signal);
      if (signal.aborted) break;
      const inTurn = [...this.#paths.slice(fault.node), ...this.#paths.slice(0, fault.node)];
      const path = inTurn.find(({ isFaulty, proxy }) => !isFaulty && proxy.isUsed);
      if (!path) continue;
      this.counts[fault.kind] += 1;
      const mended = path.befall(fault, signal).then(() => void mending.delete(mended));
      mending.add(mended);
    }
    await Promise.all(mending);
  }

  #pathOf(index: number): Path {
    const path = this.#paths[index];
    if (!path) throw new RangeError(`There is no node ${index}`);
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#paths.map((path) => path[Symbol.asyncDispose]()));
  }
}

/** From one node to the service. */
class Path implements AsyncDisposable {
  readonly proxy: FaultProxy;
  isFaulty = false;
  readonly #telling: NodeJS.Timeout;

  private constructor(proxy: FaultProxy, telling: NodeJS.Timeout) {
    this.proxy = proxy;
    this.#telling = telling;
  }

  static async open(
    port: number,
    { role, pid }: ProxiedNode,
    journal: Journal,
    silentMs: number,
  ): Promise<Path> {
    let heardAt = performance.now();
    const proxy = await FaultProxy.open(port, (direction) => {
      if (direction === 'to-service') heardAt = performance.now();
    });
    const telling = setInterval(() => {
      const isSilent = performance.now() - heardAt >= silentMs;
      const silent = isSilent ? pid() : undefined;
      if (silent !== undefined) journal.note({ type: 'silent', role, pid: silent });
    }, TOLD_EVERY_MS);
    return new Path(proxy, telling);
  }

  async befall(fault: NetworkFault, signal: AbortSignal): Promise<void> {
    this.isFaulty = true;
    await this.#apply(fault, signal);
    this.isFaulty = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#telling);
    await this.proxy[Symbol.asyncDispose]();
  }

  async #apply(fault: NetworkFault, signal: AbortSignal): Promise<void> {
    const { forMs, afterBytes, delayMs, bytesPerSecond, direction } = fault;
    switch (fault.kind) {
      case 'cut':
        return this.proxy.cut(afterBytes);
      case 'reset':
        return this.proxy.reset();
      case 'half-open':
        return this.proxy.stall(BOTH, forMs, signal);
      case 'one-way':
        return this.proxy.stall([direction], forMs, signal);
      case 'partition':
        return this.proxy.partition(forMs, signal);
      case 'delay':
        return this.proxy.during({ delayMs }, forMs, signal);
      case 'slow-down':
        return this.proxy.during({ bytesPerSecond }, forMs, signal);
      case 'refuse':
        return this.proxy.refuse(forMs, signal);
    }
  }
}
