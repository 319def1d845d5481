import {
  currentRun,
  define,
  type CallOptions,
  type MapOptions,
  type RetryOptions,
  type RoutineCaller,
  type RunHandle,
} from '@routine-engine/core';
import { here, pause, ROUNDING_MS, untilCancelled } from './place.ts';
import { take, type Calls } from './steps.ts';
import { FAILED_FOR_GOOD, hashOf, mix, numberOfLeaf, TREE_FAILED } from './tree-value.ts';
import type { Call, Flow, Leaf, LeafCall } from './tree.ts';

/** What the body of a tree fails with. */
class TreeError extends Error {
  readonly code: string;

  constructor(nodeId: string, code = TREE_FAILED) {
    super(nodeId);
    this.code = code;
  }
}

const name = 'simulated-task';
const leaves = {
  task: define.task({ name, version: '1.0.0' }, (node: Leaf) => computeLeaf(node, false)),
  newer: define.task({ name, version: '2.0.0' }, (node: Leaf) => computeLeaf(node, true)),
  watched: define.task({ name: 'simulated-watched', version: '1.0.0' }, (node: Leaf) =>
    computeLeaf(node, false),
  ),
  unremembered: define.task(
    { name: 'simulated-unremembered', version: '1.0.0', cache: false },
    (node: Leaf) => computeLeaf(node, false),
  ),
};

const flow = define.workflow({ name: 'simulated-flow' }, async (node: Flow): Promise<number> => {
  here().bodyBegins(currentRun().runId, node);
  let value = hashOf(node.id);
  for (const step of node.steps) value = mix(value, await take(step, calls));
  if (node.fails) throw new TreeError(node.id);
  return value;
});

/** What a handler fails with, one time in four. */
export const HANDLER_FAILED = 'HANDLER_FAILED';

for (const when of [['completed', 'cached'], ['failed']] as const) {
  define.trigger(
    { on: leaves.watched, when, retries: { attempts: 200, backoffMs: 100, nonRetryable: [HANDLER_FAILED] } },
    async (finished) => {
      here().handles(finished.runId, currentRun().runId);
      if (finished.when !== 'failed') await finished.result?.value();
      if (Number.parseInt(finished.runId.slice(-1), 16) % 4 > 0) return;
      here().saw('trigger that fails');
      throw Object.assign(new Error(finished.runId), { code: HANDLER_FAILED });
    },
  );
}

type Caller<Node> = Pick<RoutineCaller<[Node], unknown>, 'map'> & {
  (node: Node): Promise<unknown>;
  submit(node: Node): RunHandle<unknown>;
};

/** Makes a call of a tree. @returns a number that says what came of it. */
export async function make(call: Call, options: CallOptions = {}): Promise<number> {
  return numberOf(await callerOf(call, options)(call.node as never));
}

export function submit(call: Call, options: CallOptions = {}): RunHandle<unknown> {
  return callerOf(call, options).submit(call.node as never);
}

const calls: Calls = {
  make,
  submit,
  numberOf,
  map: (of, nodes, options) => {
    const retries = retriesOf({});
    const given: MapOptions<never> = { ...options, ...(retries && { retries }) };
    return leaves[of].map(nodes, given as MapOptions<never> & { readonly args?: never });
  },
};

function callerOf(call: Call, options: CallOptions): Caller<Leaf | Flow> {
  const given = { ...optionsOf(call), ...options };
  const caller = call.of === 'flow' ? flow.with(given) : leaves[call.of].with(given);
  return caller as Caller<Leaf | Flow>;
}

function optionsOf(call: Call): CallOptions {
  const { priority } = call;
  const retries = retriesOf(call.of === 'flow' ? {} : call);
  const base = { ...(priority !== undefined && { priority }), ...(retries && { retries }) };
  if (call.of === 'flow') return base;
  const { timeoutMs, queueTimeoutMs, node } = call;
  const { zone, attemptTimeoutMs } = node;
  return {
    ...base,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(queueTimeoutMs !== undefined && { queueTimeoutMs }),
    ...(attemptTimeoutMs !== undefined && { attemptTimeoutMs }),
    ...(zone && { labels: { zone } }),
  };
}

/** Who is patient tries again also when the queue is full, and what fails for good never. */
function retriesOf({ retries, node }: Partial<Pick<LeafCall, 'retries' | 'node'>>): RetryOptions | undefined {
  const { isPatient } = here();
  if (retries === undefined && !isPatient) return undefined;
  const base = { backoffMs: 20, nonRetryable: [FAILED_FOR_GOOD] };
  if (!isPatient) return { ...base, attempts: retries ?? 0 };
  const own = node?.endlessFirst ? 'ATTEMPT_TIMEOUT' : node?.failsFirst && TREE_FAILED;
  const retryIf = (error: Error & { readonly code?: string }): boolean =>
    error.code === 'QUEUE_FULL' || (own !== undefined && error.code === own);
  return { ...base, attempts: 100_000, maxBackoffMs: 400, retryIf };
}

async function computeLeaf(node: Leaf, isNewer: boolean): Promise<unknown> {
  const { runId, attempt, signal } = currentRun();
  const place = here();
  const { process } = place;
  place.bodyBegins(runId, node);
  const beganAt = process.monotonic();
  try {
    if (node.endless || (node.endlessFirst ?? 0) >= attempt) await untilCancelled();
    else await pause(node.ms, node.deaf);
  } finally {
    place.bodyEnds(runId, signal.aborted);
    checkAttempt(node, signal, process.monotonic() - beganAt);
  }
  if (node.failsForGood) throw new TreeError(node.id, FAILED_FOR_GOOD);
  if (node.fails || (node.failsFirst ?? 0) >= attempt) throw new TreeError(node.id);
  const value = numberOfLeaf(node, isNewer);
  if (node.gives === undefined) return value;
  const bytes = new Uint8Array(node.gives).fill(value & 0xff);
  return node.streams ? { value, stream: inChunks(bytes) } : { value, bytes };
}

/** An attempt is never ended before its time. */
function checkAttempt({ id, attemptTimeoutMs = 0 }: Leaf, signal: AbortSignal, tookMs: number): void {
  const { code } = (signal.reason ?? {}) as { readonly code?: string };
  if (code !== 'ATTEMPT_TIMEOUT') return;
  here().saw('attempt timeout');
  if (tookMs < attemptTimeoutMs - ROUNDING_MS)
    here().violate(`An attempt of ${id} was ended after ${tookMs} ms of ${attemptTimeoutMs}`);
}

async function* inChunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += 100_000) yield bytes.subarray(from, from + 100_000);
}

/** A number that says what a routine gave. */
export async function numberOf(result: unknown): Promise<number> {
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
