import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { LIMITS } from '../model/limits.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { ObserveRun } from '../protocol/directives.js';
import { DetachedRun, type DetachedRequest } from './detached-run.js';
import { failure } from './failure.js';
import type { NodeSession } from './node-session.js';
import { SetIndex } from './set-index.js';

/** The detached runs of a service, those in hand and, for a while, those that are over. */
export class DetachedRuns {
  readonly #clock: Clock;
  readonly #runs = new Map<string, DetachedRun>();
  /** Those that are over, and when they ended by the monotonic clock; oldest first. */
  readonly #over = new Map<DetachedRun, number>();
  /** What the outcomes take together. */
  #bytes = 0;
  readonly #observed = new SetIndex<NodeSession, DetachedRun>();
  /** Nodes that ask for runs which may yet become known, by run id. */
  readonly #expected = new SetIndex<string, NodeSession>();
  #expectedCount = 0;
  #forgetting: Timer | undefined;
  #isClosed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** In the order of their requests. */
  get all(): Iterable<DetachedRun> {
    return this.#runs.values();
  }

  find(runId: string): DetachedRun | undefined {
    return this.#runs.get(runId);
  }

  /** The run of a request, known before or not. @param origin - the node that requests it, and looks on. */
  take(request: DetachedRequest, origin: NodeSession | undefined): DetachedRun {
    const run = this.#runs.get(request.runId) ?? this.#begin(request);
    if (origin) run.requestedBy(origin);
    return run;
  }

  /** Tells a node of a run from now on. */
  observe(node: NodeSession, run: DetachedRun): void {
    if (run.observe(node)) this.#observed.add(node, run);
  }

  /** A node asks for a run that is not known. @param isExpected - whether it may become known soon. */
  miss(node: NodeSession, { runId, attempt }: ObserveRun, isExpected: boolean): void {
    if (isExpected && this.#expectedCount < LIMITS.detachedOutcomes) {
      this.#expectedCount += 1;
      return this.#expected.add(runId, node);
    }
    node.post(unknown(runId, attempt));
  }

  /** No run becomes known any more that was asked for before. */
  expectNoMore(): void {
    this.#expectedCount = 0;
    for (const [runId, nodes] of this.#expected) for (const node of nodes) node.post(unknown(runId, 1));
    this.#expected.clear();
  }

  /** A node is gone, and hears no more. */
  nodeLost(node: NodeSession): void {
    for (const run of [...this.#observed.get(node)]) {
      run.forget(node);
      this.#observed.remove(node, run);
    }
  }

  /** It failed, and a further attempt is requested. */
  restart(run: DetachedRun): void {
    this.#bytes -= run.outcome?.byteLength ?? 0;
    this.#over.delete(run);
    run.restart();
  }

  close(): void {
    this.#isClosed = true;
    this.#forgetting?.cancel();
  }

  #begin(request: DetachedRequest): DetachedRun {
    const run = new DetachedRun(request, (observers) => this.#ended(run, observers));
    const { runId } = request;
    this.#runs.set(runId, run);
    for (const node of [...this.#expected.get(runId)]) {
      this.#expected.remove(runId, node);
      this.observe(node, run);
    }
    return run;
  }

  #ended(run: DetachedRun, observers: readonly NodeSession[]): void {
    for (const node of observers) this.#observed.remove(node, run);
    this.#over.set(run, this.#clock.monotonic());
    this.#bytes += run.outcome?.byteLength ?? 0;
    for (const oldest of this.#over.keys()) {
      if (this.#over.size <= LIMITS.detachedOutcomes && this.#bytes <= LIMITS.detachedOutcomesBytes) break;
      this.#forget(oldest);
    }
    if (!this.#isClosed) this.#forgetting ??= this.#forgetAfter(LIMITS.detachedOutcomesMs);
  }

  #forgetAfter(milliseconds: number): Timer {
    return this.#clock.after(milliseconds, () => this.#forgetOld());
  }

  #forgetOld(): void {
    this.#forgetting = undefined;
    const now = this.#clock.monotonic();
    for (const [run, at] of this.#over) {
      const leftMs = at + LIMITS.detachedOutcomesMs - now;
      if (leftMs > 0) {
        this.#forgetting = this.#forgetAfter(leftMs);
        return;
      }
      this.#forget(run);
    }
  }

  #forget(run: DetachedRun): void {
    this.#bytes -= run.outcome?.byteLength ?? 0;
    this.#over.delete(run);
    this.#runs.delete(run.request.runId);
  }
}

function unknown(runId: string, attempt: number): ReturnType<typeof failure> {
  const message = `The service knows no detached run ${runId}, or its outcome no more`;
  return failure(runId, attempt, toPlainError(new RoutineEngineError('RUN_UNKNOWN', message)), false);
}
