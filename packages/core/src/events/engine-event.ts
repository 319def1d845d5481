import type { PlainError } from '../errors/plain-error.js';
import type { ServiceWorkerStatus } from '../model/statuses.js';

/** What every event has. @public */
export interface EventBase {
  /** When it happened, in milliseconds since 1970 (UTC), by the clock of the node that tells it. */
  readonly at: number;
  /** Name of the node that tells it, such as `client` or `worker-1`. */
  readonly node: string;
}

/**
 * What every event of a run has. The node that requested the run tells them, in order, with exactly one terminal event
 * and none after it.
 * @public
 */
export interface RunEventBase extends EventBase {
  readonly runId: string;
  /** Full routine id, such as `tname:news:train:0.0.1`. */
  readonly routineId: string;
  /** The run that called it; absent for a root. */
  readonly parentRunId?: string;
  readonly rootRunId: string;
  readonly attempt: number;
}

/** A routine was called. First event of every run. @public */
export interface RunRequested extends RunEventBase {
  readonly type: 'run.requested';
  /** The run whose end a trigger answers with this one. */
  readonly triggeredBy?: string;
}
/** Terminal: the result was in the store, or an equal call that was under way gave it. @public */
export interface RunCached extends RunEventBase {
  readonly type: 'run.cached';
  /** `store`, or `shared` when an equal call in flight computed it. */
  readonly from: 'store' | 'shared';
  readonly byteLength: number;
}
/** The call was sent to the service. @public */
export interface RunDispatched extends RunEventBase {
  readonly type: 'run.dispatched';
  /** Bytes of the arguments. */
  readonly byteLength: number;
}
/** The service holds the run until a worker comes that can take it. @public */
export interface RunWaiting extends RunEventBase {
  readonly type: 'run.waiting';
  /** `no-capable-worker`: none offers the routine in this version. A run that waits for a free slot is not told. */
  readonly reason: 'no-capable-worker';
  /** For people: what is missing, such as the versions that workers do offer. */
  readonly detail: string;
}
/** The body began to run. Again, with the next attempt, when it is run again or was placed elsewhere. @public */
export interface RunStarting extends RunEventBase {
  readonly type: 'run.starting';
  /** Name of the worker, or of the node itself for a run in the calling thread. */
  readonly worker: string;
}
/** The body waits for sub-runs. @public */
export interface RunHanging extends RunEventBase {
  readonly type: 'run.hanging';
}
/** No sub-run is outstanding any more. @public */
export interface RunResumed extends RunEventBase {
  readonly type: 'run.resumed';
}
/** The body called `progress`. @public */
export interface RunProgress extends RunEventBase {
  readonly type: 'run.progress';
  readonly done: number;
  readonly total?: number;
}
/** The body called `log`. @public */
export interface RunLog extends RunEventBase {
  readonly type: 'run.log';
  readonly level: LogLevel;
  readonly message: string;
}
/**
 * The run is run again, because it failed and has `retries` left, or is placed elsewhere, because its worker was lost. Its
 * attempt is the one to come.
 * @public
 */
export interface RunRetrying extends RunEventBase {
  readonly type: 'run.retrying';
  /** Why the last attempt ended. */
  readonly error: PlainError;
  /** Milliseconds that it waits before; 0 when it is placed elsewhere, which a free worker may still keep waiting. */
  readonly delayMs: number;
}
/** Terminal: the run gave a value. @public */
export interface RunCompleted extends RunEventBase {
  readonly type: 'run.completed';
  /** Bytes of the encoded value; 0 when it never had to be encoded. */
  readonly byteLength: number;
  /** Whether the result is in a store now. */
  readonly remembered: boolean;
  /** How long the body of the last attempt ran, in milliseconds; 0 when nobody listened as it began in this thread. */
  readonly durationMs: number;
}
/** Terminal: the run failed. @public */
export interface RunFailed extends RunEventBase {
  readonly type: 'run.failed';
  readonly error: PlainError;
}
/** Terminal: the run was cancelled. @public */
export interface RunCancelled extends RunEventBase {
  readonly type: 'run.cancelled';
  readonly error: PlainError;
}

/**
 * A hit was computed again, as `cache.verify` asks, and gave something else: the task is not pure. Told after the run that
 * was answered from the store has ended.
 * @public
 */
export interface RunImpure extends EventBase {
  readonly type: 'run.impure';
  /** Full routine id. */
  readonly routineId: string;
  /** The run that was answered from the store. */
  readonly runId: string;
  /** Where the values differ, such as `result.weights`. */
  readonly paths: readonly string[];
}

/** The handler of a trigger failed, or could not be run. The run that it answers is as it was. @public */
export interface TriggerFailed extends EventBase {
  readonly type: 'trigger.failed';
  /** Full id of the workflow that the handler runs as, which stands for the trigger. */
  readonly routineId: string;
  /** The run of the handler. */
  readonly runId: string;
  /** The run that it answers. */
  readonly triggeredBy: string;
  readonly error: PlainError;
}

/** Severity of a log line. @public */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Everything that happens to a run. @public */
export type RunEvent =
  | RunRequested
  | RunCached
  | RunDispatched
  | RunWaiting
  | RunStarting
  | RunHanging
  | RunResumed
  | RunProgress
  | RunLog
  | RunRetrying
  | RunCompleted
  | RunFailed
  | RunCancelled;

/** What a store, or the engine that asks it, tells. @public */
export type StoreEvent = EventBase & {
  /** `ResultStore.name`. */
  readonly store: string;
  readonly key: string;
} & (
    | { readonly type: 'store.hit'; readonly byteLength: number }
    | { readonly type: 'store.miss' }
    | { readonly type: 'store.put'; readonly byteLength: number; readonly outcome: 'stored' | 'present' }
    /** The store made room. */
    | { readonly type: 'store.evicted'; readonly byteLength: number }
    /** A damaged result was put aside; it counts as a miss. */
    | { readonly type: 'store.corrupt'; readonly detail: string }
    /** The store could not be asked; a get counts as a miss, a put as not remembered. */
    | {
        readonly type: 'store.failed';
        readonly operation: 'get' | 'put' | 'lease';
        readonly error: PlainError;
      }
    /**
     * A result of a released routine was computed by another source than the routine has here under the same version. Told
     * once for each routine: give changed code a new version.
     */
    | { readonly type: 'store.source_changed'; readonly routineId: string }
  );

/**
 * What becomes of the content of large values on its way through a shared store. Told by the node that moves it.
 * @public
 */
export type ContentEvent = EventBase & {
  /** SHA-256 of the bytes. */
  readonly digest: string;
  readonly byteLength: number;
} & (
    | { readonly type: 'content.stored'; readonly store: string; readonly outcome: 'stored' | 'present' }
    /** Read from the store, to be used by every run of this process that needs it. */
    | { readonly type: 'content.fetched' }
    /** Another run needed what was fetched, or is just being fetched. */
    | { readonly type: 'content.reused' }
  );

/** What the link to the service does. @public */
export type TransportEvent = EventBase & { readonly address: string } & (
    | { readonly type: 'transport.connecting' }
    | { readonly type: 'transport.connected'; readonly peer: string }
    /** The connection is gone. The node dials again; its runs go on. */
    | { readonly type: 'transport.lost'; readonly error: PlainError }
    /**
     * After a loss: the service was told again what this node holds and wants. `resumed`: it still knew this node; else it has
     * been started anew, or had given the node up.
     */
    | { readonly type: 'transport.resynced'; readonly resumed: boolean }
    /** This node closed the connection itself. */
    | { readonly type: 'transport.closed' }
  );

/** A worker changed its status. @public */
export interface WorkerStatusChanged extends EventBase {
  readonly type: 'worker.status';
  readonly worker: string;
  readonly status: ServiceWorkerStatus;
  readonly running: number;
  readonly hanging: number;
}

/** The queue of the service changed between empty and not empty, or a run waits that no worker can take. @public */
export interface ServiceQueueChanged extends EventBase {
  readonly type: 'service.queue';
  /** Runs that wait for a worker. */
  readonly waiting: number;
}

/** Everything `lifecycle.events$` tells; told apart by `type`. @public */
export type EngineEvent =
  | RunEvent
  | RunImpure
  | TriggerFailed
  | StoreEvent
  | ContentEvent
  | TransportEvent
  | WorkerStatusChanged
  | ServiceQueueChanged;
