import { Lifecycle } from '@routine-engine/core';
import {
  bodyOf,
  CODEC,
  type Codec,
  type ResultStore,
  TRANSPORT,
  type Transport,
} from '@routine-engine/core/adapter';
import { createHash, randomUUID } from 'node:crypto';
import { type CommandContext, isConfigured } from '../node/context.js';
import { routineModules } from '../node/modules.js';
import { linkPlugins } from '../node/plugins.js';
import { lookingPlugin } from '../node/looking-plugin.js';
import { exportedRoutines } from '../run/find-routine.js';
import { openStore } from '../store/with-store.js';
import { failureText } from '../tell-failure.js';

/** What came of one check. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'failed' | 'skipped';
  readonly detail: string;
}

/** A check that was skipped says why. */
class Skipped extends Error {}

/** Makes one check. It never rejects: what it threw is what it found. */
export async function check(name: string, find: () => Promise<string>): Promise<Check> {
  try {
    return { name, status: 'ok', detail: await find() };
  } catch (error) {
    if (error instanceof Skipped) return { name, status: 'skipped', detail: error.message };
    return { name, status: 'failed', detail: failureText(error) };
  }
}

/** Loads the modules that define routines. */
export async function checkModules(context: CommandContext): Promise<string> {
  const modules = routineModules(context, []);
  if (modules.length === 0) throw new Skipped('no modules are set');
  let routines = 0;
  for (const module of modules) routines += (await exportedRoutines(module)).size;
  return `${modules.length} modules export ${routines} routines`;
}

/** Puts a result into the store, gets it and deletes it. */
export async function checkStore(
  context: CommandContext,
  seen: (store: ResultStore, codec: Codec) => void,
): Promise<string> {
  return openStore(context, async ({ store, parts }) => {
    seen(store, parts.get(CODEC));
    const key = createHash('sha256').update(`routine doctor ${randomUUID()}`).digest('hex');
    const metadata = {
      ...{ routineId: 'tname:routine-doctor:probe:1.0.0', runId: randomUUID(), codec: 'none' },
      ...{ createdAt: Date.now(), durationMs: 0 },
    };
    await store.put(key, { metadata, body: bodyOf({ head: new Uint8Array(1), buffers: [] }) });
    const found = await store.get(key);
    await store.delete(key);
    if (!found) throw new Error(`What was put into ${store.identity} is not there`);
    return `keeps and gives back results in ${store.identity}`;
  });
}

/** Connects as a client. */
export async function checkService(
  context: CommandContext,
  seen: (transport: Transport) => void,
): Promise<string> {
  if (context.settings.effective('url').from === 'default' && !isConfigured(context, TRANSPORT))
    throw new Skipped('no url is set');
  const look = lookingPlugin((parts) => seen(parts.get(TRANSPORT)));
  const lifecycle = await Lifecycle.init({
    project: context.settings.get('project'),
    name: 'doctor',
    plugins: [...(await linkPlugins(context)), look],
  });
  try {
    const workers = await lifecycle.runs.workers();
    const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
    return `answers, and has ${workers.length} workers with ${slots} slots`;
  } finally {
    await lifecycle.shutdown();
  }
}
