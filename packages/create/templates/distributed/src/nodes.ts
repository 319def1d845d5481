import { Lifecycle } from '@routine-engine/core';
import { service, worker } from '@routine-engine/core/host';
import { fsStore } from '@routine-engine/store-fs';
import { wsListener, wsTransport } from '@routine-engine/transport-ws';
import { PROJECT } from './settings.js';

/** Where a node finds the others. */
export interface Place {
  readonly url: string;
  /** Directory of results. */
  readonly results: string;
}

/** Finds workers for runs. */
export function openService(port: number): Promise<Lifecycle> {
  const plugins = [service({ listeners: [() => wsListener({ port })] })];
  return Lifecycle.init({ project: PROJECT, name: 'service', plugins });
}

/** Takes runs until it is shut down. */
export function openWorker(name: string, { url, results }: Place): Promise<Lifecycle> {
  const modules = [new URL('./routines.js', import.meta.url)];
  const plugins = [wsTransport({ url }), fsStore({ dir: results }), worker({ modules })];
  return Lifecycle.init({ project: PROJECT, name, plugins });
}

/** Calls routines: what runs of it call goes to workers. */
export function openClient({ url, results }: Place): Promise<Lifecycle> {
  return Lifecycle.init({ project: PROJECT, plugins: [wsTransport({ url }), fsStore({ dir: results })] });
}

/** Shuts down at Ctrl-C and SIGTERM: runs in hand end first. */
export function shutdownOnSignals(lifecycle: Lifecycle): void {
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void lifecycle.shutdown());
}
