import { currentRun, type CallOptions, type MapOptions, type RunHandle } from '@routine-engine/core';
import { here, pause, ROUNDING_MS } from './place.ts';
import { FAILED_FOR_GOOD, hashOf, mapValue, mix, NOTHING, TREE_FAILED } from './tree-value.ts';
import type { Call, Leaf, LeafCall, LeafRoutine, MapStep, Step } from './tree.ts';

/** How the calls of a tree are made. */
export interface Calls {
  make(call: Call, options?: CallOptions): Promise<number>;
  submit(call: Call): RunHandle<unknown>;
  map(of: LeafRoutine, nodes: Iterable<Leaf>, options: MapOptions<never>): AsyncIterable<unknown>;
  /** A number that says what a routine gave. */
  numberOf(result: unknown): Promise<number>;
}

/** How long whoever cancels by an id waits before it tries again, and how often it does where others may be as patient. */
const AGAIN_MS = 200;
const PATIENCE = 20;

/** Does a step of a workflow. @returns a number that says what came of it. */
export async function take(step: Step, calls: Calls): Promise<number> {
  switch (step.do) {
    case 'call':
      return calls.make(step.call);
    case 'together':
      return (await Promise.all(step.calls.map((call) => calls.make(call)))).reduce(mix);
    case 'try':
      return caught(calls.make(step.call), TREE_FAILED, FAILED_FOR_GOOD);
    case 'cancel':
      return cancelled(step.call, step.afterMs, calls);
    case 'cancel-by-id':
      return cancelledById(step.call, step.afterMs, calls);
    case 'abandon':
      void calls.make(step.call).catch(() => undefined);
      return NOTHING;
    case 'submit':
      return submitted(step.call, step.afterMs, calls);
    case 'map':
      return mapped(step, calls);
    case 'time-out':
      return timedOut(step.call, step.timeoutMs, calls);
    case 'attempt-time-out':
      return caught(calls.make(step.call), 'ATTEMPT_TIMEOUT');
    case 'queue-time-out':
      return neverPlaced(step.call, calls);
    case 'hurry':
      // Whatever it comes to depends on who is faster.
      await calls.make(step.call).catch((error: unknown) => assertOneOf(error, 'QUEUE_TIMEOUT', TREE_FAILED));
      return NOTHING;
    case 'pause':
      await pause(step.ms);
      return NOTHING;
  }
}

/** Whatever the call comes to, its value does not count, since it depends on who is faster. */
async function cancelled(call: Call, afterMs: number, calls: Calls): Promise<number> {
  const controller = new AbortController();
  const timer = here().process.after(afterMs, () => controller.abort());
  try {
    await calls.make(call, { signal: controller.signal });
  } catch (error) {
    assertOneOf(error, 'RUN_CANCELLED', TREE_FAILED);
    if (codeOf(error) === 'RUN_CANCELLED') here().saw('cancelled by a signal');
  } finally {
    timer.cancel();
  }
  return NOTHING;
}

/** Others may not know yet of the run, or not be there: they are asked until it has ended. */
async function cancelledById(call: Call, afterMs: number, calls: Calls): Promise<number> {
  const handle = calls.submit(call);
  const place = here();
  let isOver = false;
  const ended = handle.result().finally(() => (isOver = true));
  ended.catch(() => undefined);
  await pause(afterMs);
  for (let tries = 1; !isOver; tries += 1) {
    // It may be kept out of a queue that is full as long as this run has its slot.
    if (place.isPatient && tries > PATIENCE) handle.cancel();
    else await place.cancelById(handle.runId);
    if (!isOver) await pause(AGAIN_MS);
  }
  const value = await caught(ended.then(Number), 'RUN_CANCELLED');
  if (handle.status !== 'CANCELLED') here().violate(`${handle.runId} was cancelled and is ${handle.status}`);
  here().saw('cancelled by its id');
  return value;
}

async function submitted(call: Call, afterMs: number, calls: Calls): Promise<number> {
  const handle = calls.submit(call);
  const told: string[] = [];
  handle.status$.subscribe((status) => told.push(status));
  await pause(afterMs);
  let expected = 'FAILED';
  try {
    const value = await calls.numberOf(await handle.result());
    expected = 'DONE';
    return value;
  } finally {
    if (!currentRun().signal.aborted) {
      here().saw('submitted');
      const isRight = told.indexOf(expected) === told.length - 1 && handle.status === expected;
      if (!isRight) here().violate(`${handle.runId} is ${expected}, and was told to be ${told.join(', ')}`);
    }
  }
}

async function mapped(
  { of, leaves, ordered, concurrency, leaveAfter }: MapStep,
  calls: Calls,
): Promise<number> {
  const place = here();
  const values: number[] = [];
  let asked = 0;
  let isClosed = false;
  const items = function* (): Generator<Leaf> {
    try {
      for (const leaf of leaves) {
        asked += 1;
        // The one that is being handed over is taken, and this does not have it yet.
        if (asked - values.length > concurrency + 1)
          place.violate(`A map of ${concurrency} asked for item ${asked} after ${values.length} results`);
        yield leaf;
      }
    } finally {
      isClosed = true;
    }
  };
  try {
    for await (const result of calls.map(of, items(), { ordered, concurrency })) {
      values.push(await calls.numberOf(result));
      if (values.length === leaveAfter) break;
    }
  } finally {
    if (asked > 0 && !isClosed) place.violate(`A map of ${leaves[0]?.id} left its items open`);
  }
  place.saw(leaveAfter === undefined ? (ordered ? 'map' : 'map without order') : 'map that is left');
  return mapValue(values, ordered);
}

async function timedOut(call: Call, timeoutMs: number, calls: Calls): Promise<number> {
  const { process } = here();
  const calledAt = process.monotonic();
  const value = await caught(calls.make(call, { timeoutMs }), 'RUN_TIMEOUT');
  here().saw('timeout');
  checkTook(call, process.monotonic() - calledAt, timeoutMs);
  return value;
}

/** In the calling thread, where nothing waits for a worker, only its timeoutMs ends it. */
async function neverPlaced(call: LeafCall, calls: Calls): Promise<number> {
  const { process } = here();
  const calledAt = process.monotonic();
  try {
    await calls.make(call);
    throw new Error(`${call.node.id} ended`);
  } catch (error) {
    assertOneOf(error, 'QUEUE_TIMEOUT', 'RUN_TIMEOUT');
    if (codeOf(error) === 'RUN_TIMEOUT') return NOTHING;
    here().saw('queue timeout');
    checkTook(call, process.monotonic() - calledAt, call.queueTimeoutMs ?? 0);
  }
  return NOTHING;
}

/** No time limit ends anything before its time. */
function checkTook({ node }: Call, tookMs: number, limitMs: number): void {
  if (tookMs < limitMs - ROUNDING_MS)
    here().violate(`${node.id} was ended after ${tookMs} ms by its limit of ${limitMs}`);
}

async function caught(called: Promise<number>, ...expected: readonly string[]): Promise<number> {
  try {
    return await called;
  } catch (error) {
    assertOneOf(error, ...expected);
    return hashOf(codeOf(error) ?? '');
  }
}

function assertOneOf(error: unknown, ...expected: readonly string[]): void {
  if (!expected.includes(codeOf(error) ?? '')) throw error;
}

function codeOf(error: unknown): string | undefined {
  return (error as { readonly code?: string }).code;
}
