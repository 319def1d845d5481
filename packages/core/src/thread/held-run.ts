import { Cancellation } from '../context/cancellation.js';
import { fromPlainError, toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { PlainError } from '../errors/plain-error.js';
import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import type { Outcome } from '../model/outcome.js';
import { isOver } from '../model/run-info.js';
import type { Clock } from '../ports/clock.js';
import type { Requester, RunHost } from '../ports/executor.js';
import type { BackgroundThread } from './background-thread.js';
import { fromCallMessage, fromOutcomeMessage, toCallMessage, toOutcomeMessage } from './conversions.js';
import { copyInTurns, isLongToCopy } from './copy-in-turns.js';
import { HostContents } from './host-contents.js';
import { ArrivingParts } from './long-parts.js';
import type { CallMessage, OutcomeMessage, ToHost } from './messages.js';

/** What a {@link HeldRun} is made of. */
export interface HeldRunParts {
  readonly number: number;
  readonly call: EncodedCall;
  readonly host: RunHost;
  readonly thread: BackgroundThread;
  readonly clock: Clock;
  readonly settled: (outcome: Outcome) => void;
  /** Before it is settled: parts of the value follow. */
  readonly arriving: (parts: ArrivingParts) => void;
}

/** A run on a background thread, as its host sees it. */
export class HeldRun {
  /** Stands for it in the shared memory that tells who computes. */
  readonly number: number;
  readonly call: EncodedCall;
  readonly host: RunHost;
  readonly #parts: HeldRunParts;
  /** By their ids; made when first needed, as is what it was asked about them. */
  #subRuns: Map<string, SubRun> | undefined;
  /** What the guest was asked about sub-runs, by their ids. */
  #questions: Map<string, Question> | undefined;
  #made: HostContents | undefined;
  /**
   * `coming` while its arguments are made ready for the thread, `waiting` in the thread's inbox, then `computing`, and
   * `hanging` while it waits for sub-runs; `over` in the end.
   */
  state: 'coming' | 'waiting' | 'computing' | 'hanging' | 'over' = 'coming';

  constructor(parts: HeldRunParts) {
    this.number = parts.number;
    this.call = parts.call;
    this.host = parts.host;
    this.#parts = parts;
  }

  /** Hands the run to the thread. Large arguments that others may need too are copied first, while other work goes on. */
  begin(): void {
    const { arguments: args } = this.call;
    if (!isLongToCopy(args)) return this.#send(args);
    copyInTurns(args, this.#parts.clock).then(
      (copy) => this.state === 'coming' && this.#send(copy),
      (error: unknown) => this.settle({ status: 'FAILED', error: toPlainError(error) }),
    );
  }

  /** Takes what the thread says of this run. */
  receive(message: ToHost, value: Encoded | undefined): void {
    switch (message.kind) {
      case 'starting':
        this.state = 'computing';
        return this.host.starting();
      case 'hanging':
        this.state = message.waits ? 'hanging' : 'computing';
        return this.host.hanging(message.waits);
      case 'progress':
        return this.host.progress(message.done, message.total);
      case 'log':
        return this.host.log(message.level, message.message);
      case 'request':
        return void this.#request(message, value);
      case 'retry':
        return this.#hear(message);
      case 'settled':
        return this.settle(this.#outcomeOf(message.outcome, value));
      case 'ready':
      case 'broken':
      case 'withdraw':
      case 'piece':
        return undefined;
      default:
        return this.#contents.receive(message, value);
    }
  }

  /** Cancels a sub-run whose caller waits no more. @returns whether it was one of this run's. */
  withdraw(subRunId: string, error: PlainError): boolean {
    const subRun = this.#subRuns?.get(subRunId);
    subRun?.cancellation.cancel(fromPlainError(error));
    return subRun !== undefined;
  }

  /** Ends the run. Sub-runs that nobody waits for any more are cancelled, save detached ones. */
  settle(outcome: Outcome): void {
    this.state = 'over';
    if (this.#subRuns && this.#subRuns.size > 0) {
      const reason = endedBefore(this.call, 'sub-run');
      for (const { cancellation, isDetached } of this.#subRuns.values())
        if (!isDetached) cancellation.cancel(reason);
      this.#subRuns.clear();
    }
    for (const question of this.#questions?.values() ?? []) question.resolve(false);
    this.#made?.close(
      outcome.status === 'DONE' ? endedBefore(this.call, 'stream') : fromPlainError(outcome.error),
    );
    this.#parts.settled(outcome);
  }

  /** The body of this run, whose function decides. Of a run that is over by then nobody wants anything. */
  #requesterOf({ runId, retry }: CallMessage, watched: boolean | undefined): Requester | undefined {
    if (!retry?.asks && !watched) return undefined;
    return {
      mayRetry: (error) =>
        new Promise((resolve, reject) => {
          if (this.state === 'over') return resolve(false);
          (this.#questions ??= new Map()).set(runId, { resolve, reject });
          this.#parts.thread.send({ kind: 'may-retry', runId, error });
        }),
      // How it ended comes with its answer.
      status: (status) => {
        if (watched && this.state !== 'over' && !isOver(status))
          this.#parts.thread.send({ kind: 'status', runId, status });
      },
      accepted: () => {
        if (watched && this.state !== 'over') this.#parts.thread.send({ kind: 'accepted', runId });
      },
    };
  }

  /** What a sub-run comes to whose caller is over. */
  get #tooLate(): Outcome {
    return { status: 'CANCELLED', error: toPlainError(endedBefore(this.call, 'sub-run')) };
  }

  #hear({ runId, wanted, error }: Extract<ToHost, { kind: 'retry' }>): void {
    const question = this.#questions?.get(runId);
    this.#questions?.delete(runId);
    if (error) question?.reject(fromPlainError(error));
    else question?.resolve(wanted);
  }

  #send(args: Encoded): void {
    this.state = 'waiting';
    const { takesArriving, finishesNode } = this.host;
    const message = { kind: 'run', call: toCallMessage(this.call), number: this.number } as const;
    const isUsual = !takesArriving && !finishesNode;
    this.#parts.thread.send(
      isUsual ? message : { ...message, takesArriving, finishesNode },
      args,
      args.isOwn,
    );
  }

  /** Made when first needed: most runs have neither streams nor references. */
  get #contents(): HostContents {
    const { call, host, thread, clock } = this.#parts;
    return (this.#made ??= new HostContents({ runId: call.runId, host, thread, clock }));
  }

  #outcomeOf(message: OutcomeMessage, value: Encoded | undefined): Outcome {
    if (message.status !== 'DONE' || !value) return fromOutcomeMessage(message, value);
    const { streams, long } = message;
    const restored = streams ? this.#contents.restore(value, streams) : value;
    if (!long) return fromOutcomeMessage(message, restored);
    const arriving = new ArrivingParts(long);
    this.#parts.arriving(arriving);
    return fromOutcomeMessage(message, arriving.addedTo(restored));
  }

  async #request(
    { call: message, watched }: Extract<ToHost, { kind: 'request' }>,
    args: Encoded | undefined,
  ): Promise<void> {
    const cancellation = new Cancellation();
    const subRuns = (this.#subRuns ??= new Map());
    subRuns.set(message.runId, { cancellation, isDetached: message.detached === true });
    const requester = this.#requesterOf(message, watched);
    const answered = await this.host.request(fromCallMessage(message, args), cancellation, requester);
    subRuns.delete(message.runId);
    const outcome = await copied(this.state === 'over' ? this.#tooLate : answered, this.#parts.clock);
    const value = outcome.status === 'DONE' ? outcome.value : undefined;
    const streams = value?.streams ? this.#contents.keep(value) : undefined;
    const told = toOutcomeMessage(outcome, streams);
    this.#parts.thread.send({ kind: 'answer', runId: message.runId, outcome: told }, value, value?.isOwn);
  }
}

/** A sub-run that its host was asked for. */
interface SubRun {
  readonly cancellation: Cancellation;
  readonly isDetached: boolean;
}

/** A question to the guest that is not answered yet. */
interface Question {
  readonly resolve: (wanted: boolean) => void;
  readonly reject: (error: Error) => void;
}

async function copied(outcome: Outcome, clock: Clock): Promise<Outcome> {
  if (outcome.status !== 'DONE' || !outcome.value || !isLongToCopy(outcome.value)) return outcome;
  try {
    return { ...outcome, value: await copyInTurns(outcome.value, clock) };
  } catch (error) {
    return { status: 'FAILED', error: toPlainError(error) };
  }
}

function endedBefore({ routineId }: EncodedCall, its: string): RoutineEngineError {
  return new RoutineEngineError('RUN_CANCELLED', `${routineId} ended before its ${its}`);
}
