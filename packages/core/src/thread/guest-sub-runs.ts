import type { Cancellation } from '../context/cancellation.js';
import { snapshot } from '../codec/snapshot.js';
import { toPlainError } from '../errors/error-conversion.js';
import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import type { RunStatus } from '../model/statuses.js';
import type { Requester } from '../ports/executor.js';
import { toCallMessage } from './conversions.js';
import type { OutcomeMessage, ToGuest, ToHost } from './messages.js';
import type { ParcelPort } from './parcel-port.js';

/** How a sub-run ended, with the value that came beside. */
export interface SubRunAnswer {
  readonly outcome: OutcomeMessage;
  readonly value: Encoded | undefined;
}

interface Asked {
  readonly call: EncodedCall;
  readonly requester: Requester | undefined;
  readonly answer: (answer: SubRunAnswer) => void;
}

/** What the bodies of one thread called, until the host answers. */
export class GuestSubRuns {
  readonly #port: ParcelPort<ToHost, ToGuest>;
  readonly #asked = new Map<string, Asked>();

  constructor(port: ParcelPort<ToHost, ToGuest>) {
    this.#port = port;
  }

  /** Has the host run a call. A cancelled one is answered at once. Never rejects. */
  ask(call: EncodedCall, cancel: Cancellation, requester: Requester | undefined): Promise<SubRunAnswer> {
    const { runId } = call;
    return new Promise((resolve) => {
      const answer = (given: SubRunAnswer): void => {
        this.#asked.delete(runId);
        resolve(given);
      };
      this.#asked.set(runId, { call, requester, answer });
      cancel.onCancel((reason) => {
        if (!this.#asked.has(runId)) return;
        const error = toPlainError(reason);
        this.#port.send({ kind: 'withdraw', runId, error });
        answer({ outcome: { status: 'CANCELLED', error }, value: undefined });
      });
      const watched = requester?.status !== undefined;
      const message = { kind: 'request', call: toCallMessage(call), ...(watched && { watched }) } as const;
      this.#port.send(message, snapshot(call.arguments), true);
    });
  }

  answered(runId: string, answer: SubRunAnswer): void {
    this.#asked.get(runId)?.answer(answer);
  }

  /** A sub-run that is watched does that now. */
  tell(runId: string, status: RunStatus): void {
    this.#asked.get(runId)?.requester?.status?.(status);
  }

  /** A sub-run goes on by itself. */
  accepted(runId: string): void {
    this.#asked.get(runId)?.requester?.accepted?.();
  }

  /** A sub-run failed, and the function of its caller decides whether it is run again. */
  async decide({ runId, error }: Extract<ToGuest, { kind: 'may-retry' }>): Promise<void> {
    const asked = this.#asked.get(runId);
    // Withdrawn meanwhile, which the host hears on its own.
    if (!asked) return;
    const decided = { kind: 'retry', runId, parentRunId: asked.call.parentRunId ?? '' } as const;
    try {
      const wanted = (await asked.requester?.mayRetry?.(error)) === true;
      this.#port.send({ ...decided, wanted });
    } catch (thrown) {
      this.#port.send({ ...decided, wanted: false, error: toPlainError(thrown) });
    }
  }
}
