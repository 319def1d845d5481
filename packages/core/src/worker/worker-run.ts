import type { Contents } from '../cache/contents.js';
import { Cancellation } from '../context/cancellation.js';
import type { ServiceLink } from '../dispatch/service-link.js';
import { hasLargePart, shareValue, type SentValue } from '../dispatch/share-value.js';
import type { RemoteDispatchEngine } from '../engine/remote-dispatch-engine.js';
import { toPlainError } from '../errors/error-conversion.js';
import { isClosed } from '../errors/is-closed.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { LogLevel } from '../events/engine-event.js';
import { bodyOf, type Body } from '../model/body.js';
import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import type { Outcome } from '../model/outcome.js';
import type { ReferenceData } from '../model/reference.js';
import type { StoredBlob } from '../model/stored-blob.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { Requester, RunHost } from '../ports/executor.js';
import type {
  HeldRun,
  PlaceAgain,
  RequestStart,
  RunCompletes,
  RunFails,
  RunHeader,
} from '../protocol/directives.js';
import { textOfNode, textOfReference } from '../protocol/reference-text.js';
import type { Beginnings, BegunRun } from './beginnings.js';

/** What the runs of one worker share. */
export interface WorkerRunParts {
  readonly worker: string;
  readonly link: ServiceLink;
  readonly engine: RemoteDispatchEngine;
  readonly contents: Contents;
  readonly beginnings: Beginnings;
  /** A run began to hang (`true`) or computes again. */
  readonly onHanging: (waits: boolean) => void;
}

/** How a run ended, as the service was told. */
interface Told {
  readonly directive: RunCompletes | RunFails;
  readonly value?: Encoded | undefined;
}

type Done = Extract<Outcome, { readonly status: 'DONE' }>;

/** A run that the service sent, from its taking to its report. */
export class WorkerRun implements RunHost, BegunRun {
  readonly header: RunHeader;
  readonly cancel = new Cancellation();
  /** See {@link HeldRun.detached}. */
  readonly detached: HeldRun['detached'];
  readonly takesArriving: boolean;
  readonly #parts: WorkerRunParts;
  /** Identity of the store that the requester shares with other nodes. */
  readonly #store: string | undefined;
  readonly #answer: RequestStart['answer'];
  #hangs = false;
  #hasBegun = false;
  /** Whether the service knows, or is about to, that the body began. */
  #isBeginningTold = false;
  #told: Told | undefined;
  #onOver: (() => void) | undefined;

  constructor(request: RequestStart, parts: WorkerRunParts) {
    const { runId, attempt, lease, store, argumentsDigest, answer } = request;
    this.header = { runId, attempt, lease };
    this.detached = request.detached && detachedOf(request);
    this.#store = store;
    this.#answer = answer;
    this.#parts = parts;
    // What is to be kept is read as it comes only by a store that keeps blobs, as one does that nodes share.
    const isOnlySent = argumentsDigest === undefined && answer === undefined;
    this.takesArriving = (isOnlySent || this.#hasSameStore) && !parts.link.sharesMemory;
  }

  get hangs(): boolean {
    return this.#hangs;
  }

  /** How far it is, while it is in hand. */
  get state(): HeldRun['state'] {
    if (this.#hangs) return 'hanging';
    return this.#hasBegun ? 'running' : 'waiting';
  }

  /** Whether it ended, with an outcome that may have to be told again until it is acknowledged. */
  get hasOutcome(): boolean {
    return this.#told !== undefined;
  }

  request(call: EncodedCall, cancel: CancelSignal, requester?: Requester): Promise<Outcome> {
    return this.#parts.engine.request(call, cancel, requester);
  }

  fetch(reference: ReferenceData): Promise<Encoded> {
    return this.#parts.contents.fetch(reference, { signal: this.cancel.abortSignal });
  }

  spool(chunks: AsyncIterable<Uint8Array>): Promise<StoredBlob | Uint8Array> {
    return this.#parts.contents.spool(chunks, { signal: this.cancel.abortSignal });
  }

  starting(): void {
    this.#hasBegun = true;
    this.#parts.beginnings.add(this);
  }

  tellBeginning(): void {
    if (this.#isBeginningTold || !this.#hasBegun) return;
    this.#isBeginningTold = true;
    const { link, worker } = this.#parts;
    const { runId, attempt, lease } = this.header;
    link.post({ type: 'v1.routine.starting', runId, attempt, lease, worker });
  }

  hanging(waits: boolean): void {
    if (this.#hangs === waits) return;
    this.#hangs = waits;
    this.tellBeginning();
    this.#parts.link.post({ type: 'v1.routine.hanging', ...this.header, waits });
    this.#parts.onHanging(waits);
  }

  progress(done: number, total: number | undefined): void {
    this.tellBeginning();
    this.#parts.link.post({ type: 'v1.routine.progress', ...this.header, done, total });
  }

  log(level: LogLevel, message: string): void {
    this.tellBeginning();
    this.#parts.link.post({ type: 'v1.log', ...this.header, level, message });
  }

  /**
   * Tells the service how the run ended.
   * @param isEnding - whether the worker ends, and cancelled the run for that.
   * @returns a promise only when large parts of the value go into the store first. Never rejects.
   */
  report(outcome: Outcome, isEnding: () => boolean): Promise<void> | undefined {
    const isNamed = outcome.status === 'DONE' && outcome.reference && this.#answer !== 'both';
    const value = outcome.status === 'DONE' && !isNamed ? outcome.value : undefined;
    if (value && this.#goesByStore(value)) {
      const { abortSignal } = this.cancel;
      return shareValue(value, this.#parts, abortSignal).then((sent) =>
        this.#tell(outcome, isEnding(), sent),
      );
    }
    this.#tell(outcome, isEnding(), value && { body: bodyOf(value) });
    return undefined;
  }

  #tell(outcome: Outcome, ending: boolean, sent: SentValue | undefined): void {
    if (outcome.status !== 'DONE') return this.#reportNone(outcome, ending);
    if (this.#answer !== 'both') return this.#complete(outcome, sent);
    // With the value nothing is named: what its requester needs to name it is enough.
    this.#complete({ ...outcome, reference: undefined, node: outcome.node ?? outcome.reference?.node }, sent);
  }

  #goesByStore(value: Encoded): boolean {
    return this.#hasSameStore && !this.#parts.link.sharesMemory && hasLargePart(value);
  }

  /** Whether the requester reads the store of this worker. */
  get #hasSameStore(): boolean {
    return this.#store !== undefined && this.#store === this.#parts.contents.sharedStore;
  }

  #complete({ durationMs, rememberedIn, reference, value, node }: Done, sent: SentValue | undefined): void {
    if (!reference && !sent) {
      const error = new RoutineEngineError('INTERNAL', 'A run ended with neither a value nor a reference');
      return this.fail(toPlainError(error), 'no', false);
    }
    const blobs = sent?.blobs;
    const { runId, attempt, lease } = this.header;
    const worker = this.#hasBegun && !this.#isBeginningTold ? this.#parts.worker : undefined;
    this.#isBeginningTold = true;
    const completed: RunCompletes = {
      type: 'v1.routine.completed',
      runId,
      attempt,
      lease,
      durationMs,
      rememberedIn,
      node: node && this.#wantsNode(rememberedIn) ? textOfNode(node) : undefined,
      streams: (!reference && value?.streams) || undefined,
      blobs,
      store: blobs && this.#store,
      reference: reference && textOfReference(reference),
      worker,
    };
    this.#told = { directive: completed, value: sent?.body.value };
    this.#send(completed, sent?.body);
  }

  /** Tells once more how the run ended, since that did not arrive. */
  reportAgain(): void {
    if (!this.#told) return;
    const { directive, value } = this.#told;
    if (directive.type === 'v1.routine.failed') return this.#parts.link.post(directive);
    this.#send(directive, value && bodyOf(value));
  }

  #send(completed: RunCompletes, body: Body | undefined): void {
    // Also when it can't be sent at all, such as a value of too many parts: else nobody would ever hear.
    const refused = (error: unknown): void => this.fail(toPlainError(error), 'no', false);
    const { link } = this.#parts;
    try {
      link.send(completed, body, refused);
    } catch (error) {
      // The service asks for it when there is a connection again.
      if (!isClosed(error)) refused(error);
    }
  }

  /** Calls when this run is over, as `end` says. */
  whenOver(then: () => void): void {
    this.#onOver = then;
  }

  /** Nothing of it is executed here any more. */
  end(): void {
    this.#onOver?.();
  }

  /** Whether the requester names the result, or, to know it again, keeps it in a store that this worker does not have. */
  #wantsNode(rememberedIn: string | undefined): boolean {
    if (this.#answer === 'both') return true;
    return !this.#parts.link.sharesMemory && (rememberedIn === undefined || rememberedIn !== this.#store);
  }

  #reportNone(outcome: Exclude<Outcome, Done>, ending: boolean): void {
    // What the worker cancels because it ends, nobody else wanted to be cancelled.
    const lost = outcome.status === 'CANCELLED' && ending && outcome.error.code === 'WORKER_LOST';
    const cancelled = outcome.status === 'CANCELLED' && !lost;
    const again = outcome.status === 'FAILED' ? outcome.again : undefined;
    this.fail(outcome.error, lost ? 'lost' : (again ?? 'no'), cancelled);
  }

  /** Tells the service that the run gave no value. */
  fail(error: Extract<Outcome, { status: 'FAILED' }>['error'], again: PlaceAgain, cancelled: boolean): void {
    this.tellBeginning();
    const failed: RunFails = { type: 'v1.routine.failed', ...this.header, cancelled, again, error };
    // What is placed elsewhere is nobody's any more.
    this.#told = again === 'no' ? { directive: failed } : undefined;
    this.#parts.link.post(failed);
  }
}

function detachedOf({ routineId, rootRunId, parentRunId }: RequestStart): HeldRun['detached'] {
  return { routineId, rootRunId, parentRunId };
}
