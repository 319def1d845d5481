import type { EncodedCall } from '../model/call.js';
import type { PlainError } from '../errors/plain-error.js';
import type { LogLevel } from '../events/engine-event.js';
import type { Encoded } from '../model/encoded.js';
import type { ReferenceData } from '../model/reference.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import type { RunStatus } from '../model/statuses.js';
import type { StoredBlob } from '../model/stored-blob.js';
import type { UnfinishedNode } from '../model/unfinished-node.js';

/** What a background thread is started with. Plain data. */
export interface ThreadStart {
  /** URLs of the modules whose routines it offers. */
  readonly modules: readonly string[];
  /** Modules to import first, such as one that registers a loader. */
  readonly preload: readonly string[];
  readonly project: string;
  /**
   * One Int32: the number of the run whose body computes now, 0 when none does. Shared memory, because messages die with
   * the thread: when it ends the host reads here who brought it down.
   */
  readonly computing: SharedArrayBuffer;
}

/** What a thread can run, once its modules are loaded. */
export interface ThreadOffer {
  readonly routines: readonly OfferedRoutine[];
  /** Keys of the serializers that it can read. */
  readonly serializers: readonly string[];
}

/** A call on its way between host and guest; its arguments travel as the message's value. */
export type CallMessage = Omit<EncodedCall, 'arguments'>;

/** What the host keeps for a run, and the guest knows by its number. */
export interface KeptContent extends Pick<StoredBlob, 'digest' | 'byteLength'> {
  readonly content: number;
}

/** The streams in a value that travels. */
export interface ValueStreams {
  /** How many of its last buffers are streams. */
  readonly count: number;
  /** Those whose bytes stay with the host, with the number of the part that each is. */
  readonly kept: readonly (KeptContent & { readonly part: number })[];
}

/** A part of a value whose bytes follow it in pieces. */
export interface LongPart {
  /** 0 is the head, then the buffers. */
  readonly part: number;
  readonly byteLength: number;
}

/** An outcome on its way; a value of `DONE` travels as the message's value. */
export type OutcomeMessage =
  | {
      readonly status: 'DONE';
      readonly durationMs: number;
      readonly rememberedIn: string | undefined;
      readonly node?: Uint8Array | undefined;
      readonly unfinishedNode?: UnfinishedNode | undefined;
      readonly reference?: ReferenceData | undefined;
      /** Present when the value has streams. */
      readonly streams?: ValueStreams | undefined;
      /** Present when the value has parts that follow. */
      readonly long?: readonly LongPart[] | undefined;
    }
  | { readonly status: 'FAILED' | 'CANCELLED'; readonly error: PlainError };

/** What either side says of a stream of bytes. */
export type StreamMessage = {
  readonly runId: string;
  /** The number that the guest gave it. */
  readonly stream: number;
} & (
  | {
      /** `chunk`: the next bytes, as the message's value. `stop`: its reader wants no more. */
      readonly kind: 'chunk' | 'end' | 'stop';
    }
  | { readonly kind: 'failed'; readonly error: PlainError }
  /** Its reader took so many bytes: as many more may come. */
  | { readonly kind: 'credit'; readonly bytes: number }
);

/** What the guest asks about contents. */
export type ContentRequest = {
  readonly runId: string;
  /** Made by the guest; streams are numbered in the same row. */
  readonly request: number;
} & (
  | {
      /** Asks for what a reference stands for. Answered by `fetched`. */
      readonly kind: 'fetch';
      readonly reference: ReferenceData;
    }
  | {
      /** Asks to keep the stream of the same number, which follows. Answered by `spooled`. */
      readonly kind: 'spool';
    }
  | {
      /** Asks for what is kept, as the stream of the same number. Answered by that stream. */
      readonly kind: 'read';
      readonly content: number;
    }
);

/** The answer to a {@link ContentRequest}. */
export type ContentAnswer = {
  readonly runId: string;
  readonly request: number;
} & (
  | {
      /** The value travels as the message's. */
      readonly kind: 'fetched';
      readonly streams: ValueStreams | undefined;
    }
  | { readonly kind: 'spooled'; readonly kept: KeptContent }
  | { readonly kind: 'refused'; readonly error: PlainError }
);

/** host -> guest */
export type ToGuest =
  /** Run this. Answered by `starting`, then `settled`. */
  | {
      readonly kind: 'run';
      readonly call: CallMessage;
      readonly number: number;
      /** See `RunHost.takesArriving`. */
      readonly takesArriving?: boolean | undefined;
      /** See `RunHost.finishesNode`. */
      readonly finishesNode?: boolean | undefined;
    }
  /** Stop that run. Answered by its `settled`. */
  | { readonly kind: 'cancel'; readonly runId: string; readonly error: PlainError }
  /** Asks whether a sub-run that failed is to be run again. Answered by `retry`. `runId` is the sub-run's. */
  | { readonly kind: 'may-retry'; readonly runId: string; readonly error: PlainError }
  /** What a watched sub-run does now. */
  | { readonly kind: 'status'; readonly runId: string; readonly status: RunStatus }
  /** A detached sub-run, which is watched, goes on without its caller from now on. */
  | { readonly kind: 'accepted'; readonly runId: string }
  /** The answer to a `request`. */
  | { readonly kind: 'answer'; readonly runId: string; readonly outcome: OutcomeMessage }
  | ContentAnswer
  | StreamMessage;

/** guest -> host */
export type ToHost =
  /** Modules are loaded; the first message unless `broken` comes. */
  | { readonly kind: 'ready'; readonly offer: ThreadOffer }
  /** A module could not be loaded; the thread ends. */
  | { readonly kind: 'broken'; readonly error: PlainError }
  | { readonly kind: 'starting'; readonly runId: string }
  | { readonly kind: 'hanging'; readonly runId: string; readonly waits: boolean }
  | {
      readonly kind: 'progress';
      readonly runId: string;
      readonly done: number;
      readonly total: number | undefined;
    }
  | { readonly kind: 'log'; readonly runId: string; readonly level: LogLevel; readonly message: string }
  /** A body called a routine. `runId` is the sub-run's. Answered by `answer`. */
  | {
      readonly kind: 'request';
      readonly call: CallMessage;
      /** It was submitted: its `status` is told. */
      readonly watched?: boolean;
    }
  /** The answer to `may-retry`; `error` is what the caller's own function threw. */
  | {
      readonly kind: 'retry';
      readonly runId: string;
      readonly parentRunId: string;
      readonly wanted: boolean;
      readonly error?: PlainError;
    }
  /** The caller of that sub-run does not wait for it any more. */
  | { readonly kind: 'withdraw'; readonly runId: string; readonly error: PlainError }
  | ContentRequest
  | StreamMessage
  | { readonly kind: 'settled'; readonly runId: string; readonly outcome: OutcomeMessage }
  /** The next piece, as the message's value, of a part of the value that was settled last. Nothing else comes in between. */
  | { readonly kind: 'piece'; readonly part: number };

/** A message and the value that belongs to it. */
export interface Parcel<Message> {
  readonly message: Message;
  readonly value: Encoded | undefined;
}
