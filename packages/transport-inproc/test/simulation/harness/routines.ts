import { AsyncLocalStorage } from 'node:async_hooks';
import { currentRun, define, type CallOptions, type RoutineCaller } from '@routine-engine/core';
import type { SimulatedProcess } from '@routine-engine/transport-inproc/simulation';
import { hashOf, mix, NOTHING, numberOfLeaf, TREE_FAILED } from './tree-value.ts';
import type { Call, Flow, Leaf, Step } from './tree.ts';

/** Where a body runs, and who hears of it. */
export interface Place {
  readonly process: SimulatedProcess;
  bodyBegins(runId: string, nodeId: string, isRetried: boolean): void;
}

const places = new AsyncLocalStorage<Place>();

/** Has the bodies that a function starts run at that place. */
export function at<T>(place: Place, callback: () => T): T {
  return places.run(place, callback);
}

/** What the body of a tree fails with. */
class TreeError extends Error {
  readonly code = TREE_FAILED;
}

const task = define.task({ name: 'simulated-task', version: '1.0.0' }, computeLeaf);
const unremembered = define.task(
  { name: 'simulated-unremembered', version: '1.0.0', cache: false },
  computeLeaf,
);
const flow = define.workflow({ name: 'simulated-flow' }, async (node: Flow): Promise<number> => {
  begin(node.id);
  let value = hashOf(node.id);
  for (const step of node.steps) value = mix(value, await take(step));
  if (node.fails) throw new TreeError(node.id);
  return value;
});

/** Makes a call of a tree. @returns a number that says what came of it. */
export async function make(call: Call, options: CallOptions = {}): Promise<number> {
  if (call.of === 'flow') return flow.with(options)(call.node);
  const routine: { with(options: CallOptions): RoutineCaller<[Leaf], unknown> } =
    call.of === 'task' ? task : unremembered;
  const { retries, timeoutMs } = call;
  const given: CallOptions = {
    ...options,
    ...(retries !== undefined && { retries: { attempts: retries, backoffMs: 20 } }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
  return numberOf(await routine.with(given)(call.node));
}

async function take(step: Step): Promise<number> {
  switch (step.do) {
    case 'call':
      return make(step.call);
    case 'together':
      return (await Promise.all(step.calls.map((call) => make(call)))).reduce(mix);
    case 'try':
      return caught(make(step.call), TREE_FAILED);
    case 'cancel':
      return cancelled(step.call, step.afterMs);
    case 'abandon':
      void make(step.call).catch(() => undefined);
      return NOTHING;
    case 'time-out':
      return caught(make(step.call, { timeoutMs: step.timeoutMs }), 'RUN_TIMEOUT');
    case 'pause':
      await pause(step.ms);
      return NOTHING;
  }
}

/** Whatever the call comes to, its value does not count, since it depends on who is faster. */
async function cancelled(call: Call, afterMs: number): Promise<number> {
  const controller = new AbortController();
  const timer = here().process.after(afterMs, () => controller.abort());
  try {
    await make(call, { signal: controller.signal });
  } catch (error) {
    const { code } = error as { code?: string };
    if (code !== 'RUN_CANCELLED' && code !== TREE_FAILED) throw error;
  } finally {
    timer.cancel();
  }
  return NOTHING;
}

async function caught(called: Promise<number>, expected: string): Promise<number> {
  try {
    return await called;
  } catch (error) {
    if ((error as { code?: string }).code !== expected) throw error;
    return hashOf(expected);
  }
}

async function computeLeaf(node: Leaf): Promise<unknown> {
  begin(node.id, node.failsFirst !== undefined);
  if (node.endless) await untilCancelled();
  else await pause(node.ms, node.deaf);
  if (node.fails || (node.failsFirst ?? 0) >= currentRun().attempt) throw new TreeError(node.id);
  const value = numberOfLeaf(node);
  if (node.gives === undefined) return value;
  const bytes = new Uint8Array(node.gives).fill(value & 0xff);
  return node.streams ? { value, stream: inChunks(bytes) } : { value, bytes };
}

async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += 100_000) yield bytes.subarray(from, from + 100_000);
}

async function numberOf(result: unknown): Promise<number> {
  if (typeof result === 'number') return result;
  const { value, bytes, stream } = result as {
    value: number;
    bytes?: Uint8Array;
    stream?: AsyncIterable<Uint8Array>;
  };
  let length = bytes?.byteLength ?? 0;
  if (stream) for await (const chunk of stream) length += chunk.byteLength;
  return mix(value, length);
}

function here(): Place {
  const place = places.getStore();
  if (!place) throw new Error('A body of a tree runs at no place');
  return place;
}

function begin(nodeId: string, isRetried = false): void {
  here().bodyBegins(currentRun().runId, nodeId, isRetried);
}

function pause(milliseconds: number, isDeaf = false): Promise<void> {
  const { signal } = currentRun();
  return new Promise((resolve, reject) => {
    const timer = here().process.after(milliseconds, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    const abort = (): void => {
      timer.cancel();
      reject(signal.reason as Error);
    };
    if (!isDeaf) signal.addEventListener('abort', abort, { once: true });
  });
}

function untilCancelled(): Promise<never> {
  const { signal } = currentRun();
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
