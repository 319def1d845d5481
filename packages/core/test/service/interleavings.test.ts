import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { RequesterActor, WorkerActor, type Given } from '../support/relay-actors.js';

const SLOTS = 2;
const MOST_WORKERS = 3;
const DEEDS = [
  ...['request', 'request', 'request', 'repeat', 'resend', 'resend', 'cancel', 'leave-requester'],
  ...['start', 'hang', 'resume', 'complete', 'complete', 'complete', 'fail', 'late', 'drain', 'leave-worker'],
  ...['worker', 'worker', 'read-arguments', 'read-arguments', 'read-result', 'read-result', 'pulse', 'time'],
] as const;
type Deed = (typeof DEEDS)[number];

/** A run that is answered while it is requested again would be another of the same name; the others take their time. */
const ALONE: ReadonlySet<Deed> = new Set(['repeat', 'worker', 'leave-requester', 'time']);

interface Step {
  readonly deed: Deed;
  readonly who: number;
  readonly which: number;
  readonly given: Given;
  /** Before the service has heard of what was done before. */
  readonly isRushed: boolean;
}

const steps = fc.array(
  fc.record<Step>({
    deed: fc.constantFrom(...DEEDS),
    who: fc.nat(7),
    which: fc.nat(7),
    given: fc.constantFrom('small', 'streams', 'breaks'),
    isRushed: fc.boolean(),
  }),
  { minLength: 10, maxLength: 60 },
);

const pick = <T>(from: readonly T[], index: number): T | undefined => from[index % Math.max(1, from.length)];

/** Requesters and workers around one service. */
class Play {
  readonly cluster: PipedCluster;
  readonly requesters: RequesterActor[] = [];
  readonly workers: WorkerActor[] = [];
  #made = 0;

  constructor(cluster: PipedCluster) {
    this.cluster = cluster;
  }

  async addRequester(): Promise<void> {
    this.requesters.push(new RequesterActor(await this.cluster.client(`requester-${this.#next()}`)));
  }

  async addWorker(): Promise<WorkerActor> {
    const worker = new WorkerActor(await this.cluster.worker(`worker-${this.#next()}`, { slots: SLOTS }));
    worker.peer.isSilent = true;
    this.workers.push(worker);
    return worker;
  }

  get present(): WorkerActor[] {
    return this.workers.filter(({ isGone, peer }) => !isGone && !peer.isClosed);
  }

  /** Does something, if it can be done now. */
  take(step: Step): Promise<unknown> | undefined {
    const requester = pick(
      this.requesters.filter(({ isGone }) => !isGone),
      step.who,
    );
    const worker = pick(this.present, step.who);
    if (step.deed === 'worker') return this.present.length < MOST_WORKERS ? this.addWorker() : undefined;
    if (step.deed === 'time') return this.cluster.turns.advance(1_000 * step.which);
    return (requester && this.#request(requester, step)) ?? (worker && this.#work(worker, step));
  }

  #request(requester: RequesterActor, { deed, which, given }: Step): Promise<unknown> | undefined {
    const runId = pick(requester.runIds, which);
    switch (deed) {
      case 'request':
        return requester.request(`run-${this.#next()}`, given, which === 0 ? 5_000 : undefined);
      case 'resend':
        return requester.answerResend(given);
      case 'repeat':
        return runId === undefined ? undefined : requester.repeat(runId, given);
      case 'cancel':
        return runId === undefined ? undefined : requester.cancel(runId);
      case 'leave-requester':
        return Promise.all([requester.leave(), this.addRequester()]);
      case 'read-result': {
        const [result] = runId === undefined ? [] : requester.results(runId).slice(-1);
        const reading = result && requester.reading(result);
        return which === 1 ? Promise.resolve(reading?.giveUp()) : reading?.read(which);
      }
      default:
        return undefined;
    }
  }

  #work(worker: WorkerActor, { deed, which, given }: Step): Promise<unknown> | undefined {
    const { peer } = worker;
    if (deed === 'pulse') return peer.say({ type: 'v1.heartbeat.give_pulse', status: 'IDLE' });
    if (deed === 'drain') return peer.say({ type: 'v1.worker.draining' });
    if (deed === 'leave-worker') return worker.leave();
    const late = pick(peer.all('v1.routine.request_start'), which);
    if (deed === 'late') return late && worker.complete(late, given);
    const request = pick(worker.held, which);
    if (!request) return undefined;
    switch (deed) {
      case 'start':
        return worker.start(request);
      case 'hang':
        return worker.hang(request, true);
      case 'resume':
        return worker.hang(request, false);
      case 'complete':
        return worker.complete(request, given);
      case 'fail':
        return worker.fail(request, pick(['no', 'busy', 'lost', 'downfall'], which) ?? 'no');
      case 'read-arguments':
        return which === 1 ? undefined : worker.reading(request)?.read(which);
      default:
        return undefined;
    }
  }

  #next(): number {
    return (this.#made += 1);
  }
}

/** Everybody does what is due, until nothing is left to do. */
async function finish(play: Play): Promise<void> {
  const { turns } = play.cluster;
  for (const worker of play.present) await worker.leave();
  // Those that still had something to send are gone only now.
  await turns.advance(LIMITS.drainMs);
  const last = await play.addWorker();
  for (let isIdle = false; !isIdle;) {
    isIdle = true;
    for (const requester of play.requesters) {
      if (requester.isGone) continue;
      for (let due = requester.answerResend('small'); due; due = requester.answerResend('small')) {
        isIdle = false;
        await due;
      }
      for (const runId of requester.runIds)
        for (const result of requester.results(runId)) void requester.reading(result)?.read(100);
    }
    for (const request of last.held) {
      isIdle = false;
      await last.complete(request, 'small');
    }
    await last.peer.say({ type: 'v1.heartbeat.give_pulse', status: 'IDLE' });
    await turns.settle();
  }
}

function assertAnswered(play: Play): void {
  for (const requester of play.requesters) {
    if (requester.isGone) continue;
    for (const runId of requester.runIds) expect([runId, requester.finalAnswers(runId)]).toEqual([runId, 1]);
  }
  expect(play.cluster.service.runsInHand).toBe(0);
  expect(play.cluster.logged.filter((line) => line.startsWith('warn'))).toEqual([]);
}

function assertLeases(play: Play): void {
  const placed = play.workers.flatMap(({ peer }) => peer.all('v1.routine.request_start'));
  const inOrder = placed.toSorted((a, b) => Number(a['lease']) - Number(b['lease']));
  expect(new Set(inOrder.map(({ lease }) => lease)).size).toBe(placed.length);
  const attempts = new Map<unknown, number>();
  for (const { runId, attempt } of inOrder) {
    expect(attempt).toBeGreaterThan(attempts.get(runId) ?? 0);
    attempts.set(runId, Number(attempt));
  }
}

function assertBodies(play: Play): void {
  for (const { sent } of [...play.requesters, ...play.workers])
    for (const body of sent) expect(body).toMatchObject({ isOver: true, opened: 1 });
}

async function playThrough(taken: readonly Step[]): Promise<void> {
  const cluster = await PipedCluster.start();
  const play = new Play(cluster);
  await play.addRequester();
  await play.addRequester();
  for (const step of taken) {
    if (ALONE.has(step.deed)) {
      await cluster.turns.settle();
      await play.take(step);
    } else void play.take(step);
    if (step.isRushed) continue;
    await cluster.turns.settle();
    for (const worker of play.present) expect(worker.inSlots).toBeLessThanOrEqual(SLOTS);
  }
  await cluster.turns.settle();
  await finish(play);
  assertAnswered(play);
  assertLeases(play);
  for (const actor of [...play.requesters, ...play.workers]) if (!actor.isGone) await actor.leave();
  await cluster.turns.advance(LIMITS.drainMs);
  await cluster.close();
  expect(cluster.turns.pendingTimers).toBe(0);
  assertBodies(play);
}

describe('whatever requesters and workers do, in whatever order', () => {
  it.each([7, 11, 20_261_124])(
    'each request is answered once, leases grow, slots hold, and no body is left over (seed %i)',
    async (seed) => {
      await fc.assert(fc.asyncProperty(steps, playThrough), { seed, numRuns: 300 });
    },
  );
});
