import type { DirectiveHeader } from '@routine-engine/core/adapter';
import type { Service } from '@routine-engine/core/host';
import type { Journal } from './journal.ts';
import { mayRun, workerOf, type Topology } from './topology.ts';

/** What is read of a request for a run. */
interface Request {
  readonly runId: string;
  readonly rootRunId: string;
  readonly routineId: string;
  readonly depth?: number;
  readonly priority?: number;
  readonly labels?: { readonly zone?: string };
  readonly argumentsDigest?: string;
  readonly blobs?: unknown;
  readonly triggeredBy?: string;
  readonly resumed?: boolean;
}

/** A run that the service was asked for and has given to nobody. */
interface Waiting extends Request {
  /** Number of the directive that asked for it. */
  readonly since: number;
  /** Of those that may share a run it is not known which waits, and what travels apart comes later. */
  readonly isAlone: boolean;
}

const ALIVE: ReadonlySet<string> = new Set(['IDLE', 'WORKING', 'HANGING']);

/** Reads what goes into the service and comes out of it, and knows from that alone who is to be given which run, and who none. */
export class ServiceWatch {
  readonly #service: Pick<Service, 'workers' | 'counts'>;
  readonly #journal: Journal;
  readonly #topology: Topology;
  /** Directives that came in so far. */
  #heard = 0;
  readonly #waiting = new Map<string, Waiting>();
  /** Connections of workers that are to stop. */
  readonly #draining = new Set<object>();
  /** Workers that answered that they are busy, and gave no pulse since. */
  readonly #refusing = new Set<string>();
  #refused = 0;
  readonly #refusedRuns = new Set<string>();
  /** Runs that were not placed, and told to begin all the same: they followed equal ones, and none is refused after that. */
  readonly #followed = new Set<string>();
  /** Runs that a worker has, or has had, in the attempt that goes on. */
  readonly #begun = new Set<string>();
  /** When a run of a root and priority was last placed that had waited. */
  readonly #served = new Map<string, number>();
  readonly #isCalm: boolean;
  readonly #isOrderKnown: boolean;

  /** @param isCalm - whether nothing goes wrong that has runs be placed again, or directives be lost. */
  constructor(
    service: Pick<Service, 'workers' | 'counts'>,
    journal: Journal,
    topology: Topology,
    isCalm: boolean,
  ) {
    this.#service = service;
    this.#journal = journal;
    this.#topology = topology;
    this.#isCalm = isCalm;
    // What a service before this one had taken is known by what is asked for again.
    journal.takenHandlers.clear();
    // A worker that is sent runs ahead of its slots takes short ones before long ones that are more urgent.
    this.#isOrderKnown = isCalm && topology.workers.every(({ inbox }) => inbox === 0);
  }

  /** A directive of a node came, and is about to be handled. */
  hears(connection: object, node: string, header: DirectiveHeader): void {
    if (this.#isOrderKnown) this.#checkNobodyWaits();
    this.#heard += 1;
    switch (header['type']) {
      case 'v1.worker.draining':
        return void this.#draining.add(connection);
      case 'v1.heartbeat.give_pulse':
        return void this.#refusing.delete(node);
      case 'v1.routine.failed':
        if (header['again'] !== 'busy') return;
        this.#refused += 1;
        return void this.#refusing.add(node);
      case 'v1.routine.cancel':
        return void this.#waiting.delete(String(header['runId']));
      case 'v1.routine.request_start':
        return this.#requested(header as unknown as Request);
    }
  }

  /** The service sends a directive to a node. */
  sends(connection: object, node: string, header: DirectiveHeader): void {
    const runId = String(header['runId']);
    if (header['type'] === 'v1.routine.request_start') return this.#placed(connection, node, header);
    if (header['type'] === 'v1.routine.starting') {
      this.#begun.add(runId);
      if (this.#waiting.has(runId)) this.#followed.add(runId);
    }
    if (header['type'] === 'v1.routine.completed') this.#begun.delete(runId);
    if (header['type'] !== 'v1.routine.failed') return;
    const run = this.#waiting.get(runId);
    this.#waiting.delete(runId);
    const { code } = header['error'] as { readonly code?: string };
    if (code === 'QUEUE_FULL' && this.#begun.has(runId))
      this.#journal.violate(`${runId} was refused, and had a worker before`);
    this.#begun.delete(runId);
    if (code === 'QUEUE_FULL') this.#checkRefusal(`${runId} in attempt ${String(header['attempt'])}`, run);
  }

  /** Only what comes anew is refused, and only when the queue is full. */
  #checkRefusal(what: string, run: Waiting | undefined): void {
    // What was refused is told again to who did not hear of it.
    if (this.#refusedRuns.has(what)) return;
    this.#refusedRuns.add(what);
    const { waiting } = this.#service.counts;
    if (run?.resumed) this.#journal.violate(`${what} was refused, and had been asked for before`);
    if (waiting < (this.#topology.queuedRuns ?? 0))
      this.#journal.violate(`${what} was refused, though only ${waiting} runs waited`);
  }

  #requested(request: Request): void {
    const { runId, priority = 0, argumentsDigest, blobs, resumed } = request;
    const journal = this.#journal;
    const { queuedRuns } = this.#topology;
    journal.priorities.set(runId, priority);
    if (request.triggeredBy !== undefined && !resumed) journal.takenHandlers.set(runId, request.triggeredBy);
    const { waiting } = this.#service.counts;
    if (
      queuedRuns !== undefined &&
      this.#isCalm &&
      waiting > queuedRuns + this.#refused + this.#followed.size
    )
      journal.violate(`${waiting} runs wait, and at most ${queuedRuns} may`);
    if (resumed && this.#waiting.has(runId)) return;
    const isAlone = argumentsDigest === undefined && !blobs && !resumed;
    this.#waiting.set(runId, { ...request, since: this.#heard, isAlone });
  }

  #placed(connection: object, node: string, header: DirectiveHeader): void {
    const runId = String(header['runId']);
    this.#journal.placed(header);
    if (this.#draining.has(connection)) this.#journal.violate(`${node} drains, and was given ${runId}`);
    const worker = workerOf(this.#topology, node);
    if (worker && worker.acceptsWork === false)
      this.#journal.violate(`${node} accepts no work, and was given ${runId}`);
    const run = this.#waiting.get(runId);
    this.#waiting.delete(runId);
    this.#begun.add(runId);
    if (!this.#isOrderKnown || !worker || !run || run.since === this.#heard) return;
    for (const other of this.#waiting.values())
      if (run.isAlone && other.isAlone && other.since < this.#heard && mayRun(worker, other))
        this.#checkOrder(run, other);
    // An equal call may have raised its priority.
    this.#served.set(rootOf(header as unknown as Request), this.#heard);
  }

  /** A run was placed, and not another one that its worker might have had. */
  #checkOrder(run: Waiting, other: Waiting): void {
    const { priority = 0, depth = 0 } = run;
    const { priority: otherPriority = 0, depth: otherDepth = 0 } = other;
    this.#journal.seen.add('run chosen among those that wait');
    const tell = (why: string): void =>
      this.#journal.violate(`${run.runId} was placed before ${other.runId}, which ${why}`);
    if (otherPriority > priority) return tell(`has priority ${otherPriority}, not ${priority}`);
    // A run that came back takes its old place, and its root an old turn.
    if (otherPriority < priority || this.#refused > 0) return;
    if (run.rootRunId === other.rootRunId) {
      if (otherDepth > depth) tell('lies deeper in the same tree');
      else if (otherDepth === depth && other.since < run.since) tell('is older');
      return;
    }
    const [lastTurn, otherTurn] = [this.#served.get(rootOf(run)) ?? 0, this.#served.get(rootOf(other)) ?? 0];
    this.#journal.seen.add('turns of roots');
    if (other.since < lastTurn && otherTurn < lastTurn) tell('waited for its turn since the last one');
  }

  /** No run waits while a worker that may have it has a free slot. */
  #checkNobodyWaits(): void {
    if (this.#waiting.size === 0) return;
    for (const { name, status, slots, running } of this.#service.workers) {
      const worker = workerOf(this.#topology, name);
      const isFree = ALIVE.has(status) && running < slots && !this.#refusing.has(name);
      if (!worker || worker.acceptsWork === false || !isFree) continue;
      for (const run of this.#waiting.values())
        if (run.isAlone && mayRun(worker, run))
          this.#journal.violate(`${run.runId} waits, and ${name} is free`);
    }
  }
}

/** Roots take turns for each priority. */
function rootOf({ rootRunId, priority = 0 }: Request): string {
  return `${rootRunId} ${priority}`;
}
