import type { Contents } from '../cache/contents.js';
import { Cancellation } from '../context/cancellation.js';
import { toPlainError } from '../errors/error-conversion.js';
import { isClosed } from '../errors/is-closed.js';
import type { PlainError } from '../errors/plain-error.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { LogLevel } from '../events/engine-event.js';
import { bodyOf, dropBody, type Body } from '../model/body.js';
import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import { LIMITS } from '../model/limits.js';
import type { Outcome } from '../model/outcome.js';
import type { ReferenceData } from '../model/reference.js';
import type { BlobPart } from '../model/stored-blob.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { Timer } from '../ports/clock.js';
import type {
  ObserveRun,
  RequestStart,
  ResendArguments,
  RunCompletes,
  RunFails,
  RunHeader,
  RunStarts,
} from '../protocol/directives.js';
import { Acknowledgements } from '../protocol/acknowledgements.js';
import { nodeOfText, referenceOfText } from '../protocol/reference-text.js';
import { receiveValue, valueAtHand } from './receive-value.js';
import { inputsOf, requestOf } from './request-of.js';
import { RequestWindows, type Windowed } from './request-windows.js';
import type { ServiceLink } from './service-link.js';
import { hasLargePart, shareValue, type SentValue } from './share-value.js';

/** Hears how a dispatched run goes on, before its outcome. */
export interface DispatchObserver {
  /** The service has it, as a detached run: it goes on without this node. */
  accepted(): void;
  waiting(detail: string): void;
  retrying(attempt: number, error: PlainError): void;
  starting(attempt: number, worker: string): void;
  progress(done: number, total: number | undefined): void;
  log(level: LogLevel, message: string): void;
}

/** What names a run that is observed. */
export type ObservedRun = Pick<EncodedCall, 'runId' | 'routineId' | 'rootRunId'>;

const NO_ARGUMENTS: Encoded = { head: new Uint8Array(0), buffers: [] };

interface Pending extends Windowed {
  readonly call: EncodedCall;
  readonly observer: DispatchObserver;
  readonly cancel: CancelSignal;
  /** Another node may have requested it: the service is asked to tell of it, and not to run it. */
  readonly isObserved: boolean;
  /** The service was, or is about to be, asked for it. */
  isSent: boolean;
  /** Its arguments are on their way into the store, and it is sent then. */
  isSharing?: boolean | undefined;
  /** The latest attempt that began, and where. */
  started?: { readonly attempt: number; readonly worker: string } | undefined;
  /** The result whose bytes are being read. */
  reading?: AbortController | undefined;
  readonly settle: (outcome: Outcome) => void;
  /** Ends it when it is kept back too long. */
  keptTimer?: Timer | undefined;
  /** Until when it may wait for a worker, by the monotonic clock, and how many milliseconds that were when it was sent. */
  waitUntil?: number | undefined;
  waitMs?: number | undefined;
}

/** Sends calls to the service as directives, and gives back the outcomes that come. */
export class Dispatcher {
  readonly #link: ServiceLink;
  readonly #contents: Contents;
  readonly #acknowledgements: Acknowledgements;
  readonly #pending = new Map<string, Pending>();
  readonly #windows: RequestWindows<Pending>;
  /** Some worker that the service has can't read the store of this node. */
  #sendsWhole = false;

  /**
   * @param contents - takes large arguments and results by way of the store, unless the link shares memory.
   * @param requestsInFlight - how many requests of one parent run, or of no run, may be unanswered; others are kept here.
   */
  constructor(link: ServiceLink, contents: Contents, requestsInFlight: number = LIMITS.requestsInFlight) {
    this.#link = link;
    this.#windows = new RequestWindows(requestsInFlight, (pending) => this.#begin(pending));
    this.#contents = contents;
    this.#acknowledgements = new Acknowledgements(link.clock, (directive) => link.post(directive));
    const observe = (run: RunHeader, tell: (observer: DispatchObserver) => void): void => {
      const pending = this.#pending.get(run.runId);
      if (pending) tell(pending.observer);
    };
    link.on('v1.routine.accepted', (run) => observe(run, (to) => to.accepted()));
    link.on('v1.routine.waiting', (run) =>
      observe(run, (to) => (run.error ? to.retrying(run.attempt, run.error) : to.waiting(run.detail))),
    );
    link.on('v1.routine.starting', (run) => this.#starting(run));
    link.on('v1.routine.progress', (run) => observe(run, (to) => to.progress(run.done, run.total)));
    link.on('v1.log', (run) => observe(run, (to) => to.log(run.level, run.message)));
    link.on('v1.routine.resend', (resend) => this.#resend(resend));
    link.on('v1.routine.completed', (run, body) => this.#completed(run, body));
    link.on('v1.routine.failed', (run) => this.#failed(run));
    link.onGreeted(() => this.#resync());
    link.onLost((error) => this.#lose(error));
  }

  /** Has a call run somewhere. Never rejects. A cancelled call settles at once; its worker is told. */
  dispatch(call: EncodedCall, observer: DispatchObserver, cancel: CancelSignal): Promise<Outcome> {
    return this.#expect(call, observer, cancel, false);
  }

  /** Has the service tell of a detached run, whoever requested it. Never rejects. */
  observe(run: ObservedRun, observer: DispatchObserver): Promise<Outcome> {
    const call = { ...run, attempt: 1, arguments: NO_ARGUMENTS, detached: true };
    return this.#expect(call, observer, new Cancellation(), true);
  }

  #expect(
    call: EncodedCall,
    observer: DispatchObserver,
    cancel: CancelSignal,
    isObserved: boolean,
  ): Promise<Outcome> {
    return new Promise((resolve) => {
      const stopListening = cancel.onCancel((reason) => {
        if (!this.#pending.has(call.runId)) return;
        const error = toPlainError(reason);
        const { runId, attempt } = call;
        // One that is lost on its way is told by what is not asked for again.
        if (pending.isSent) this.#link.post({ type: 'v1.routine.cancel', runId, attempt, lease: 0, error });
        settle({ status: 'CANCELLED', error });
      });
      const settle = (outcome: Outcome): void => {
        if (this.#pending.delete(call.runId)) this.#windows.leave(pending);
        pending.keptTimer?.cancel();
        pending.reading?.abort();
        stopListening();
        resolve(outcome);
      };
      const pending: Pending = {
        call,
        observer,
        cancel,
        settle,
        isObserved,
        window: isObserved ? 'observed' : windowOf(call),
        windowState: 'kept',
        isSent: false,
      };
      if (cancel.reason) return settle({ status: 'CANCELLED', error: toPlainError(cancel.reason) });
      this.#pending.set(call.runId, pending);
      this.#windows.enter(pending);
      if (pending.windowState === 'kept') this.#limitKeeping(pending);
    });
  }

  /** What is kept back waits for a worker as well. */
  #limitKeeping(pending: Pending): void {
    const { queueTimeoutMs, routineId } = pending.call;
    if (queueTimeoutMs === undefined) return;
    const { clock } = this.#link;
    pending.waitUntil = clock.monotonic() + queueTimeoutMs;
    pending.keptTimer = clock.after(queueTimeoutMs, () => {
      const why = `its caller has so many calls under way that it was not even sent`;
      const message = `${routineId} waited ${queueTimeoutMs} ms for a worker: ${why}`;
      const error = toPlainError(new RoutineEngineError('QUEUE_TIMEOUT', message));
      pending.settle({ status: 'FAILED', error });
    });
  }

  /** Its window has let it in. */
  #begin(pending: Pending): void {
    pending.keptTimer?.cancel();
    if (pending.waitUntil !== undefined)
      pending.waitMs = Math.max(1, pending.waitUntil - this.#link.clock.monotonic());
    this.#send(pending);
  }

  get #sharedStore(): string | undefined {
    return this.#link.sharesMemory ? undefined : this.#contents.sharedStore;
  }

  /** Small arguments go at once; to put large ones into the store takes a while. */
  #send(pending: Pending): void {
    const { call, cancel } = pending;
    const store = this.#sharedStore;
    if (pending.isObserved) return this.#sendNow(pending, store);
    if (store === undefined || this.#sendsWhole || !hasLargePart(call.arguments)) {
      return this.#sendNow(pending, store, { body: bodyOf(call.arguments) });
    }
    const parts = { contents: this.#contents, link: this.#link };
    pending.isSharing = true;
    void shareValue(call.arguments, parts, cancel.abortSignal).then((shared) => {
      pending.isSharing = false;
      if (this.#pending.get(call.runId) === pending) this.#sendNow(pending, store, shared);
    });
  }

  #sendNow(pending: Pending, store: string | undefined, args?: SentValue): void {
    const refused = (error: unknown): void =>
      pending.settle({ status: 'FAILED', error: toPlainError(error) });
    try {
      this.#link.send(this.#askFor(pending, store, args?.blobs), args?.body, refused);
      pending.isSent = true;
    } catch (error) {
      // It is sent as soon as there is a connection again.
      if (isClosed(error) && this.#link.goesOn) return;
      refused(error);
    }
  }

  #askFor(
    { call, isObserved, waitMs }: Pending,
    store: string | undefined,
    blobs: readonly BlobPart[] | undefined,
  ): RequestStart | ObserveRun {
    if (isObserved) return { type: 'v1.routine.observe', runId: call.runId, attempt: call.attempt, lease: 0 };
    const { codec, sharesMemory } = this.#link;
    const inputs = sharesMemory ? undefined : inputsOf(call, codec);
    const request = requestOf(call, store, blobs, inputs);
    return waitMs === undefined ? request : { ...request, queueTimeoutMs: waitMs };
  }

  /** Tells a service that may know nothing what is wanted of it. */
  #resync(): void {
    for (const pending of [...this.#pending.values()]) {
      const { call, isSent, isSharing, isObserved, started, windowState } = pending;
      if (isSent && !isObserved) {
        const request = requestOf(call, this.#sharedStore, undefined);
        const attempt = Math.max(call.attempt, started?.attempt ?? 0);
        this.#link.post({ ...request, attempt, resumed: true, startedOn: started?.worker });
      } else if (windowState === 'sent' && !isSharing) this.#send(pending);
    }
  }

  #starting({ runId, attempt, worker }: RunStarts): void {
    const pending = this.#pending.get(runId);
    if (pending) this.#begun(pending, attempt, worker);
  }

  #begun(pending: Pending, attempt: number, worker: string): void {
    // After a loss the service may say it again.
    const isNews = pending.started?.attempt !== attempt || pending.started.worker !== worker;
    pending.started = { attempt, worker };
    if (isNews) pending.observer.starting(attempt, worker);
  }

  #resend({ runId, inline }: ResendArguments): void {
    if (inline) this.#sendsWhole = true;
    const pending = this.#pending.get(runId);
    if (pending) this.#send(pending);
  }

  #completed(run: RunCompletes, body: Body | undefined): void {
    const pending = this.#pending.get(run.runId);
    if (!pending) {
      dropBody(body);
      return this.#acknowledgements.add(run);
    }
    const { durationMs, rememberedIn, worker } = run;
    if (worker !== undefined) this.#begun(pending, run.attempt, worker);
    const node = run.node === undefined ? undefined : nodeOfText(run.node);
    const done = (value: Encoded | undefined, reference?: ReferenceData): void => {
      this.#acknowledgements.add(run);
      pending.settle({ status: 'DONE', value, reference, node, durationMs, rememberedIn });
    };
    // Without a body there is a reference: the session saw to that.
    if (!body) return done(undefined, run.reference && referenceOfText(run.reference));
    const value = valueAtHand(run, body);
    // Whoever else looks on in this process is told the same.
    if (value) return done(pending.call.detached ? { ...value, isOwn: undefined } : value);
    this.#read(pending, run, body, done);
  }

  /** Of two results of one run only the later counts: the earlier could not be sent to its end. */
  #read(pending: Pending, run: RunCompletes, body: Body, done: (value: Encoded) => void): void {
    pending.reading?.abort();
    const reading = new AbortController();
    pending.reading = reading;
    const unlessAborted = (act: () => void): void => {
      if (!reading.signal.aborted) act();
    };
    // One that is remembered goes to all who asked for the same.
    const isForOne = pending.call.argumentsDigest === undefined && !pending.call.detached;
    receiveValue(run, body, this.#contents, reading.signal).then(
      (value) => unlessAborted(() => value && done(isForOne ? value : { ...value, isOwn: undefined })),
      (error: unknown) =>
        unlessAborted(() => {
          this.#acknowledgements.add(run);
          pending.settle({ status: 'FAILED', error: toPlainError(error) });
        }),
    );
  }

  #failed(run: RunFails): void {
    // Also when nobody waits for it any more: it would be kept for this node.
    this.#acknowledgements.add(run);
    this.#pending
      .get(run.runId)
      ?.settle({ status: run.cancelled ? 'CANCELLED' : 'FAILED', error: run.error });
  }

  #lose(error: Error): void {
    const plain = toPlainError(error);
    for (const pending of [...this.#pending.values()]) pending.settle({ status: 'FAILED', error: plain });
  }
}

/** A call never waits for those of a lower priority, so that priorities have windows of their own. */
function windowOf({ parentRunId = '', priority }: EncodedCall): string {
  return priority ? `${parentRunId} ${priority}` : parentRunId;
}
