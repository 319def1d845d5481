import { LIMITS } from '../model/limits.js';
import type { RunFails, RunHeader } from '../protocol/directives.js';
import type { NodeSession } from './node-session.js';
import type { RunRecord } from './run-record.js';
import type { RunRequester } from './run-requester.js';

/** An outcome that a worker keeps until all who asked for it have it. */
export interface KeptOutcome extends RunHeader {
  node: NodeSession;
  /** How many of those it was passed on to have not acknowledged it. */
  waiting: number;
}

/** A run whose outcome was passed on to its requester, who has not acknowledged it yet. */
export interface AnsweredRun {
  /** Over which of the connections of its requester it was told. */
  readonly toldIn: number;
  /** The attempt that the outcome is of. */
  readonly attempt: number;
  /** Where the outcome can be had again. */
  readonly kept?: KeptOutcome | undefined;
  /** The outcome, when it came from no worker. */
  readonly failure?: RunFails | undefined;
}

/** Runs that are over, until their requesters have acknowledged the outcome: it may be lost on its way to them. */
export class AnsweredRuns {
  readonly #runs = new Map<RunRequester, Map<string, AnsweredRun>>();
  readonly #kept = new Map<number, KeptOutcome>();

  get isEmpty(): boolean {
    return this.#runs.size === 0;
  }

  /** How many there are. */
  get size(): number {
    let size = 0;
    for (const runs of this.#runs.values()) size += runs.size;
    return size;
  }

  /** Keeps who was told an outcome of an attempt, which the worker knows `at` a run that may have another name. */
  keepAt(told: readonly RunRecord[], attempt: number, node: NodeSession, at: RunHeader): void {
    let waiting = 0;
    for (const { requester } of told) if (requester.acknowledges) waiting += 1;
    if (waiting === 0) return node.acknowledge(at);
    const { runId, lease } = at;
    // Named one by one: a spread costs more than all else here.
    const kept: KeptOutcome = this.#kept.get(lease) ?? {
      runId,
      attempt: at.attempt,
      lease,
      node,
      waiting: 0,
    };
    this.#kept.set(lease, kept);
    kept.waiting += waiting;
    for (const { requester, request } of told) {
      if (!requester.acknowledges) continue;
      const toldIn = requester.connections;
      this.#add(requester, request.runId, { toldIn, attempt, kept, failure: undefined });
    }
  }

  /** Keeps an outcome that came from no worker. */
  keepFailure(requester: RunRequester, failure: RunFails): void {
    if (!requester.acknowledges) return;
    const { runId, attempt } = failure;
    this.#add(requester, runId, { toldIn: requester.connections, attempt, failure });
  }

  get(requester: RunRequester, runId: string): AnsweredRun | undefined {
    return this.#runs.get(requester)?.get(runId);
  }

  /** Whether anything is kept for a requester. */
  has(requester: RunRequester): boolean {
    return this.#runs.has(requester);
  }

  /** A worker keeps the outcome of a lease. @returns whether anybody may still ask for it. */
  comesFrom(lease: number, node: NodeSession): boolean {
    const kept = this.#kept.get(lease);
    if (kept) kept.node = node;
    return kept !== undefined;
  }

  /** Takes a run out, whose outcome is to be had again: nobody is told anything. */
  take(requester: RunRequester, runId: string): AnsweredRun | undefined {
    const runs = this.#runs.get(requester);
    const answered = runs?.get(runId);
    if (!runs || !answered) return undefined;
    runs.delete(runId);
    if (runs.size === 0) this.#runs.delete(requester);
    const { kept } = answered;
    if (kept) kept.waiting -= 1;
    if (kept?.waiting === 0) this.#kept.delete(kept.lease);
    return answered;
  }

  /** The requester has the outcome: who keeps it may forget it. An outcome of another attempt is another one. */
  acknowledge(requester: RunRequester, runId: string, attempt: number): void {
    if (this.get(requester, runId)?.attempt !== attempt) return;
    this.forget(requester, runId);
  }

  /** The requester has all that it was told over earlier connections: it did not ask for it again. */
  forgetEarlier(requester: RunRequester): void {
    for (const [runId, { toldIn }] of [...(this.#runs.get(requester) ?? [])])
      if (toldIn !== requester.connections) this.forget(requester, runId);
  }

  /** A requester is gone for good: nobody asks for its outcomes. */
  requesterLost(requester: RunRequester): void {
    for (const runId of [...(this.#runs.get(requester)?.keys() ?? [])]) this.forget(requester, runId);
  }

  /** The requester needs the outcome of a run no more, whatever it was. */
  forget(requester: RunRequester, runId: string): void {
    const kept = this.take(requester, runId)?.kept;
    if (kept?.waiting === 0) kept.node.acknowledge(kept);
  }

  #add(requester: RunRequester, runId: string, answered: AnsweredRun): void {
    const runs = this.#runs.get(requester) ?? new Map<string, AnsweredRun>();
    this.#runs.set(requester, runs);
    runs.set(runId, answered);
    if (runs.size <= LIMITS.unacknowledgedRuns) return;
    // One that never acknowledges must not fill the memory of others: what it was told first, it has.
    for (const first of runs.keys()) return this.forget(requester, first);
  }
}
