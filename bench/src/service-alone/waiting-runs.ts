import type { Body, DirectiveHeader } from '@routine-engine/core/adapter';
import { summarise } from '../measure.js';
import { optionsOfParent, serveParent } from '../processes/parent.js';
import { memoryInUse, ServiceAlone, type PlayedNode } from './service-alone.js';

/** How many runs are to wait at once, and in how many rounds that is timed. */
export interface WaitingOptions {
  readonly runs: number;
  readonly rounds: number;
}

/** What a run cost: the median of the rounds. */
export interface WaitingCosts {
  /** Microseconds from its request into the queue. */
  readonly request: number;
  /** Microseconds from the queue to its worker, and through its result to the acknowledgement. */
  readonly rest: number;
  /** Bytes while it waits, beside its body. */
  readonly bytes: number;
}

/** As many runs as one parent has under way. */
const RUNS_PER_PARENT = 10_000;
const body: Body = {
  ...{ byteLength: 16, sizes: [16], parts: [new Uint8Array(16)] },
  async *chunks() {
    yield new Uint8Array(16);
  },
};
const ROUTINE = Buffer.from('tname:bench:noop:1.0.0');

/** Texts of their own for each request, as a decoder makes them. */
function request(index: number): DirectiveHeader {
  const parent = Buffer.from(
    `0192f3aa-parent-7000-8000-${String(Math.floor(index / RUNS_PER_PARENT)).padStart(10, '0')}`,
  );
  return {
    type: 'v1.routine.request_start',
    runId: Buffer.from(`0192f3aa-0000-7000-8000-${String(index).padStart(12, '0')}`).toString('latin1'),
    rootRunId: parent.toString('latin1'),
    parentRunId: parent.toString('latin1'),
    routineId: ROUTINE.toString('latin1'),
    ...{ attempt: 1, lease: 0, depth: 1 },
  };
}

/** A worker that has one run at a time, and answers each at once. */
function answer(alone: ServiceAlone): { readonly worker: PlayedNode; readonly drain: () => void } {
  const asked: DirectiveHeader[] = [];
  const worker = alone.node('worker', 'worker', (header) => {
    if (header['type'] === 'v1.routine.request_start') asked.push(header);
  });
  const drain = (): void => {
    for (let run = asked.pop(); run; run = asked.pop()) {
      const { runId, attempt, lease } = run;
      worker.say({ type: 'v1.routine.completed', runId, attempt, lease, durationMs: 10 }, body);
    }
  };
  return { worker, drain };
}

/** @param weigh - gives the memory in use; it costs time that is not that of the runs. */
function round(runs: number, weigh: () => number): WaitingCosts {
  const alone = new ServiceAlone();
  let outcomes: DirectiveHeader[] = [];
  let answered = 0;
  const client = alone.node('client', 'client', (header) => {
    if (header['type'] !== 'v1.routine.completed') return;
    outcomes.push({ runId: header['runId'], attempt: header['attempt'], lease: 0 });
    answered += 1;
    if (outcomes.length < 100) return;
    client.say({ type: 'v1.routine.ack', runs: outcomes });
    alone.clock.turn();
    outcomes = [];
  });
  const { worker, drain } = answer(alone);
  const before = weigh();
  const requestedAt = performance.now();
  for (let index = 0; index < runs; index += 1) client.say(request(index), body);
  const request_ = performance.now() - requestedAt;
  const bytes = weigh() - before;
  const restAt = performance.now();
  worker.say({
    ...{ type: 'v1.worker.ready', routines: [{ routineId: ROUTINE.toString() }], slots: 1, inbox: 0 },
  });
  drain();
  if (outcomes.length > 0) client.say({ type: 'v1.routine.ack', runs: outcomes });
  alone.clock.turn();
  const rest = performance.now() - restAt;
  if (answered !== runs || alone.service.runsInHand !== 0)
    throw new Error(`${answered} of ${runs} runs were answered, ${alone.service.runsInHand} are in hand`);
  return { request: (request_ * 1_000) / runs, rest: (rest * 1_000) / runs, bytes: bytes / runs };
}

const options = optionsOfParent<WaitingOptions>();
serveParent(
  () => Promise.resolve(),
  () => {
    const { runs, rounds } = options;
    const unweighed = (): number => 0;
    round(20_000, unweighed);
    // Collecting garbage to weigh what is left throws code away as well: time first.
    const timed = Array.from({ length: rounds }, () => round(runs, unweighed));
    const median = (of: (costs: WaitingCosts) => number): number => summarise('', timed.map(of)).median;
    const { bytes } = round(runs, memoryInUse);
    return {
      request: median((each) => each.request),
      rest: median((each) => each.rest),
      bytes,
    } satisfies WaitingCosts;
  },
);
