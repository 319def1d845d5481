import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lifecycle, everythingRemote, executionPolicy } from '@routine-engine/core';
import { fsStore } from '@routine-engine/store-fs';
import { socketTransport } from '../socket/socket-plugin.js';
import { ChildNode } from './child-node.js';
import type { ServiceOptions } from './service.js';
import type { WorkerOptions } from './worker.js';

/** Garbage of what a service relays is short-lived: a young generation as large as the default only takes memory. */
const SERVICE_FLAGS = ['--max-semi-space-size=4'];

/** How a {@link ProcessCluster} is made. */
export interface ProcessClusterOptions {
  /** Whether client and worker share a store of files. */
  readonly sharesStore?: boolean;
  /** Milliseconds between two questions of the service for the worker's pulse. */
  readonly heartbeatMs?: number;
}

/** A service and a worker in processes of their own; this process is their client, and runs nothing itself. */
export class ProcessCluster implements AsyncDisposable {
  readonly service: ChildNode;
  readonly worker: ChildNode;
  readonly #ends: readonly End[];

  private constructor(service: ChildNode, worker: ChildNode, ends: readonly End[]) {
    this.service = service;
    this.worker = worker;
    this.#ends = ends;
  }

  /** Starts service, worker and the client's lifecycle. */
  static async start({
    sharesStore = false,
    heartbeatMs,
  }: ProcessClusterOptions = {}): Promise<ProcessCluster> {
    const ends: End[] = [];
    try {
      const dir = await mkdtemp(join(tmpdir(), 'routine-bench-'));
      ends.push(() => rm(dir, { recursive: true }));
      const address = `unix:${join(dir, 'service.sock')}`;
      const store = sharesStore ? { store: join(dir, 'results') } : {};
      const pulse = heartbeatMs === undefined ? {} : { heartbeatMs };
      const serviceOptions: ServiceOptions = { address, ...pulse };
      const service = await ChildNode.start('service.js', serviceOptions, SERVICE_FLAGS);
      ends.push(() => service[Symbol.asyncDispose]());
      const worker = await ChildNode.start('worker.js', { address, ...store } satisfies WorkerOptions);
      ends.push(() => worker[Symbol.asyncDispose]());
      const lifecycle = await Lifecycle.init({
        project: 'bench',
        plugins: [
          socketTransport(address),
          executionPolicy(everythingRemote),
          ...(store.store === undefined ? [] : [fsStore({ dir: store.store })]),
        ],
      });
      ends.push(() => lifecycle.shutdown());
      return new ProcessCluster(service, worker, ends);
    } catch (error) {
      await endAll(ends);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await endAll(this.#ends);
  }
}

type End = () => Promise<void>;

/** The last that was started ends first. */
async function endAll(ends: readonly End[]): Promise<void> {
  for (const end of ends.toReversed()) await end();
}
