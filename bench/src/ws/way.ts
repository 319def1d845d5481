import { ChildNode } from '../processes/child-node.js';
import type { RawWsWorkerOptions } from '../processes/raw-ws-worker.js';
import type { WsClientOptions } from '../processes/ws-client.js';
import type { WsWorkerOptions } from '../processes/ws-worker.js';
import type { ClientQuestion, ClientReport, Usage } from './duties.js';
import type { RawOptions } from './raw-socket.js';

/** As services are started: garbage of what they relay is short-lived, and a large young generation only takes memory. */
const SERVICE_FLAGS = ['--max-semi-space-size=4'];

/** Whose processor time is told. */
export const ROLES = ['client', 'service', 'workers'] as const;
type Role = (typeof ROLES)[number];

/** What one piece of work took, in microseconds. */
export interface WayReport extends ClientReport {
  /** Processor time of each; of all workers together. */
  readonly processor: Readonly<Record<Role, number>>;
}

/** One way to do the work: a client, what is between, and workers, each a process of its own. */
export class Way implements AsyncDisposable {
  readonly name: string;
  readonly processes: Readonly<Record<Role, readonly ChildNode[]>>;

  private constructor(name: string, processes: Way['processes']) {
    this.name = name;
    this.processes = processes;
  }

  /** The engine. @param sendsAll - whether what the client starts itself runs on a worker, too. */
  static async engine(workers: number, sendsAll: boolean): Promise<Way> {
    const service = await ChildNode.start('ws-service.js', {}, SERVICE_FLAGS);
    const address = await addressOf(service);
    const started = await startAll(workers, (index) => {
      return ChildNode.start('ws-worker.js', {
        address,
        name: `worker-${index}`,
      } satisfies WsWorkerOptions);
    });
    const client = await ChildNode.start('ws-client.js', { address, sendsAll } satisfies WsClientOptions);
    return new Way('routine engine', { client: [client], service: [service], workers: started });
  }

  /** Bare WebSockets with the same codec and a relay between; the workers answer in their one thread. */
  static async raw(workers: number, options: RawOptions): Promise<Way> {
    const relay = await ChildNode.start('raw-ws-relay.js', options, SERVICE_FLAGS);
    const parts: RawWsWorkerOptions = { ...options, address: await addressOf(relay) };
    const started = await startAll(workers, () => ChildNode.start('raw-ws-worker.js', parts));
    const client = await ChildNode.start('raw-ws-client.js', parts);
    const name = options.isCorked ? RAW_CORKED : RAW;
    return new Way(name, { client: [client], service: [relay], workers: started });
  }

  async do(question: ClientQuestion): Promise<WayReport> {
    const before = await this.#usage();
    const [client] = this.processes.client;
    if (!client) throw new Error('There is no client');
    const report = (await client.ask(question)) as ClientReport;
    const after = await this.#usage();
    const taken = (role: Role): number => after[role] - before[role];
    const processor = { client: taken('client'), service: taken('service'), workers: taken('workers') };
    return { ...report, processor };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const role of ['client', 'workers', 'service'] as const)
      for (const each of this.processes[role]) await each[Symbol.asyncDispose]();
  }

  async #usage(): Promise<Record<Role, number>> {
    const sum = async (role: Role): Promise<number> => {
      let total = 0;
      for (const each of this.processes[role])
        total += ((await each.ask({ kind: 'usage' })) as Usage).processorMicroseconds;
      return total;
    };
    return { client: await sum('client'), service: await sum('service'), workers: await sum('workers') };
  }
}

/** Names of the raw ways. */
export const RAW = 'raw ws relay';
export const RAW_CORKED = 'raw ws relay, one write a turn';

async function addressOf(service: ChildNode): Promise<string> {
  return ((await service.ask({ kind: 'usage' })) as { readonly address: string }).address;
}

async function startAll(
  count: number,
  start: (index: number) => Promise<ChildNode>,
): Promise<readonly ChildNode[]> {
  const started: ChildNode[] = [];
  for (let index = 1; index <= count; index += 1) started.push(await start(index));
  return started;
}
