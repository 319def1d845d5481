import type { PlainError } from '../errors/plain-error.js';
import type { LogLevel } from '../events/engine-event.js';
import type { RememberControl } from '../model/call.js';
import type { Labels } from '../model/labels.js';
import type { NodeRole } from '../model/node-role.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import type { WorkerStatus } from '../model/statuses.js';
import type { RunInput } from '../model/run-input.js';
import type { BlobPart } from '../model/stored-blob.js';
import type { RunsAnnounced } from './announcements.js';
import type { AskService, ServiceAnswers } from './inspection.js';
import type { ReferenceText } from './reference-text.js';

/** Protocol versions this package speaks, best first. */
export const PROTOCOL_VERSIONS: readonly number[] = [1];

/** node -> service, first of all: who am I, and which protocol versions do I speak. */
export interface Hello {
  readonly type: 'hello';
  readonly protocols: readonly number[];
  readonly role: NodeRole;
  /** Name of the node in events. */
  readonly name: string;
  /** Name of its codec: nodes whose codecs differ can't read each other's bodies. */
  readonly codec: string;
  readonly serializers: readonly string[];
  /** The session that it had, when it comes back after its connection was lost. Nobody else knows it. */
  readonly resume?: string | undefined;
  /** Version of the package that it runs, for people: what nodes understand of each other is up to `protocols`. */
  readonly core?: string | undefined;
}
/** service -> node: you are in; every later directive of this connection carries the session. */
export interface Welcome {
  readonly type: 'welcome';
  readonly protocol: number;
  readonly session: string;
  readonly service: string;
  /** The service still has this node and all that it knew of it; else it knows nothing of it. */
  readonly resumed: boolean;
  /** How often the service asks for a pulse. */
  readonly heartbeatMs: number;
  /** A node that hears nothing for so long takes the connection for lost. */
  readonly leaseMs: number;
  /** Version of the package that the service runs, for people. */
  readonly core?: string | undefined;
}
/** service -> node: you are not in; the connection closes. */
export interface Refused {
  readonly type: 'refused';
  readonly error: PlainError;
}

/** What every directive after the handshake has. Sequence numbers start with 1 and leave none out, each way. */
export interface SessionHeader {
  readonly session: string;
  readonly sequence: number;
}

/** node -> service: I go for good. What I asked for is wanted no more, and what I hold is to be placed elsewhere. */
export interface NodeLeaving {
  readonly type: 'v1.node.leaving';
}

/**
 * node -> service, after a loss and once it has requested again what it still wants: that is all. What it asked for before and did
 * not name is wanted no more, and outcomes of it are not needed.
 */
export interface NodeResynced {
  readonly type: 'v1.node.resynced';
}

/** A run that a worker has in hand, or whose outcome it keeps. */
export interface HeldRun extends RunHeader {
  /** `waiting`: its body has not begun. `hanging`: it waits for sub-runs. `finished`: its outcome is kept. */
  readonly state: 'waiting' | 'running' | 'hanging' | 'finished';
  /** What is to be known of a detached run, which a service takes up that does not know it. Absent for others. */
  readonly detached?: Pick<RequestStart, 'routineId' | 'rootRunId' | 'parentRunId'> | undefined;
}
/**
 * worker -> service, before `ready`, when it holds runs: these I have. As many directives as it takes; what none of them names
 * it does not have.
 */
export interface WorkerHolds {
  readonly type: 'v1.worker.holds';
  readonly runs: readonly HeldRun[];
}
/** worker -> service, once a session: routines are loaded, runs may come. */
export interface WorkerReady {
  readonly type: 'v1.worker.ready';
  readonly routines: readonly OfferedRoutine[];
  /** Runs that may compute at once. */
  readonly slots: number;
  /** Runs it takes beyond its slots, to be started as soon as one is free. */
  readonly inbox: number;
  /** Identity of the store that it shares with other nodes; absent when it shares none. */
  readonly store?: string | undefined;
  /** What runs may require of it; absent for none. */
  readonly labels?: Labels | undefined;
  /** Keys of the serializers that it can read arguments with. Absent: those of its `hello`. */
  readonly serializers?: readonly string[] | undefined;
  /** It is only seen, and gets no runs. Absent: it takes some. */
  readonly acceptsWork?: false | undefined;
}
/** worker -> service: no more runs, please; those in hand are being finished. */
export interface WorkerDraining {
  readonly type: 'v1.worker.draining';
}
/** service -> worker: are you there? */
export interface CheckPulse {
  readonly type: 'v1.heartbeat.check_pulse';
}
/** worker -> service: the answer. */
export interface GivePulse {
  readonly type: 'v1.heartbeat.give_pulse';
  readonly status: WorkerStatus;
}

/** Names one execution: only the holder of the current lease is listened to. */
export interface RunHeader {
  readonly runId: string;
  /** Starts with 1. A requester sends the one to come, more than 1 for a run that failed; the service counts on. */
  readonly attempt: number;
  /** Fencing number of this placement; grows with each. 0 between requester and service. */
  readonly lease: number;
}
/**
 * requester -> service -> worker: run this. The body holds the arguments. From a requester again, in answer to `resend`:
 * the arguments of a run that was requested before.
 */
export interface RequestStart extends RunHeader {
  readonly type: 'v1.routine.request_start';
  readonly parentRunId?: string | undefined;
  readonly rootRunId: string;
  /** How many runs are above it; absent for a root. */
  readonly depth?: number | undefined;
  /**
   * From a requester after its connection was lost, without a body: I asked for this before, and still want it. The service
   * asks for the arguments when it needs them.
   */
  readonly resumed?: boolean | undefined;
  /** Name of the worker that began to run it, as far as a requester that `resumed` it knows. */
  readonly startedOn?: string | undefined;
  /** Full routine id; from a requester also a record id. */
  readonly routineId: string;
  /** Canonical digest of the arguments, when the result is to be remembered. */
  readonly argumentsDigest?: string | undefined;
  /** How the result is looked up and kept; absent for the default. */
  readonly remember?: RememberControl | undefined;
  /** `reference`: the result is to be kept, and only named. `both`: the value, which is kept if it can be. Absent: the value. */
  readonly answer?: 'reference' | 'both' | undefined;
  /** Identity of the store that the requester shares with other nodes; absent when it shares none. */
  readonly store?: string | undefined;
  /** Parts of the arguments that lie in `store`; in the body they are empty. */
  readonly blobs?: readonly BlobPart[] | undefined;
  /** Kept results that the arguments refer to, the largest ones: the run is rather placed where they are at hand. */
  readonly inputs?: readonly RunInput[] | undefined;
  /** Milliseconds the run may wait for a worker. */
  readonly queueTimeoutMs?: number | undefined;
  /** Milliseconds the attempt may take from the beginning of its body; its worker sees to that. */
  readonly attemptTimeoutMs?: number | undefined;
  /** Milliseconds from the beginning of its body after which the service may have a task executed a second time as well. */
  readonly speculateAfterMs?: number | undefined;
  /** -100 to 100, higher first; absent for 0. */
  readonly priority?: number | undefined;
  /** Labels that its worker must have; absent for none. */
  readonly labels?: Labels | undefined;
  /** Keys of the serializers that reading the arguments takes; absent for none. At most 1,000. */
  readonly serializers?: readonly string[] | undefined;
  /** It outlives its requester; the service keeps its outcome for whoever asks. Absent: it does not. */
  readonly detached?: true | undefined;
  /** The run whose end a trigger answers with this one. Nobody waits for it, so it outlives its requester. */
  readonly triggeredBy?: string | undefined;
  /** How many triggers, one after the other, led to this run. Absent: none. */
  readonly triggerDepth?: number | undefined;
  /** Run ids of those above it, and of it itself, that were submitted, outermost first; absent for none. */
  readonly submitted?: readonly string[] | undefined;
}
/** service -> requester of a detached run: I have it, and it goes on without you. */
export interface RunAccepted extends RunHeader {
  readonly type: 'v1.routine.accepted';
}
/** node -> service: tell me of this detached run, and how it ends, as if I had requested it. */
export interface ObserveRun extends RunHeader {
  readonly type: 'v1.routine.observe';
}
/** service -> requester: nobody can take the run yet, or its worker was lost and it is placed elsewhere. */
export interface RunWaits extends RunHeader {
  readonly type: 'v1.routine.waiting';
  /** For people. */
  readonly detail: string;
  /** Why the last attempt ended, when there was one. */
  readonly error?: PlainError | undefined;
}
/**
 * service -> requester: the arguments of this run are gone, since they went to a worker that came to nothing, or lie where
 * no worker can read them. Send `request_start` with the same `runId` again; until then the run is held.
 */
export interface ResendArguments extends RunHeader {
  readonly type: 'v1.routine.resend';
  /** With all their bytes: no worker that offers the routine has the store of the requester. */
  readonly inline: boolean;
}
/** worker -> service -> requester: the body begins to run. */
export interface RunStarts extends RunHeader {
  readonly type: 'v1.routine.starting';
  /** Name of the worker. */
  readonly worker: string;
}
/** worker -> service: the body waits for sub-runs, so its slot is free; or it computes again. */
export interface RunHangs extends RunHeader {
  readonly type: 'v1.routine.hanging';
  readonly waits: boolean;
}
/** worker -> service -> requester. */
export interface RunProgresses extends RunHeader {
  readonly type: 'v1.routine.progress';
  readonly done: number;
  readonly total?: number | undefined;
}
/** worker -> service -> requester: a line that the body logged. */
export interface RunLogs extends RunHeader {
  readonly type: 'v1.log';
  readonly level: LogLevel;
  readonly message: string;
}
/** worker -> service -> requester: the run gave a value, which is the body, or is only named. */
export interface RunCompletes extends RunHeader {
  readonly type: 'v1.routine.completed';
  readonly durationMs: number;
  /** Identity of the store that holds the result durably. */
  readonly rememberedIn?: string | undefined;
  /**
   * Base64 of what stands for the value in canonical digests, for a requester that keeps the result in a store of its own:
   * only so can it refer to it.
   */
  readonly node?: string | undefined;
  /** How many of the last parts of the body are streams in the value. Absent: none. */
  readonly streams?: number | undefined;
  /** Identity of the store that holds `blobs`. */
  readonly store?: string | undefined;
  /** Parts of the value that lie in `store`; in the body they are empty. */
  readonly blobs?: readonly BlobPart[] | undefined;
  /** Names the kept result, when that was asked for; then there is no body. */
  readonly reference?: ReferenceText | undefined;
  /** Name of the worker, when no `starting` came before: the body began, and its end followed at once. */
  readonly worker?: string | undefined;
}
/**
 * What is to become of a run that gave no value. `no`: it failed. `busy`: the worker had no slot for it. `lost`: what
 * executed it is gone by no fault of the run. `downfall`: the same, and the run, or one that it waited for, may have
 * brought it down.
 */
export type PlaceAgain = 'no' | 'busy' | 'lost' | 'downfall';

/** worker -> service -> requester: the run gave none. */
export interface RunFails extends RunHeader {
  readonly type: 'v1.routine.failed';
  readonly cancelled: boolean;
  /** Whether it is to be placed elsewhere; always `no` between service and requester. */
  readonly again: PlaceAgain;
  readonly error: PlainError;
}
/** requester -> service -> worker: stop this run. The answer is `failed`, or what it had become by then. */
export interface CancelRun extends RunHeader {
  readonly type: 'v1.routine.cancel';
  readonly error: PlainError;
}
/** requester -> service -> worker: the outcomes of these attempts are safe with me, you may forget them. */
export interface AcknowledgeRuns {
  readonly type: 'v1.routine.ack';
  readonly runs: readonly RunHeader[];
}
/** service -> worker: the outcome of this attempt, which you keep until it is acknowledged, did not arrive. Report it again. */
export interface ReportAgain extends RunHeader {
  readonly type: 'v1.routine.report_again';
}

/** Everything after the handshake. */
export type Directive =
  | NodeLeaving
  | NodeResynced
  | WorkerHolds
  | WorkerReady
  | WorkerDraining
  | CheckPulse
  | GivePulse
  | RequestStart
  | RunAccepted
  | ObserveRun
  | RunWaits
  | ResendArguments
  | RunStarts
  | RunHangs
  | RunProgresses
  | RunLogs
  | RunCompletes
  | RunFails
  | CancelRun
  | AskService
  | ServiceAnswers
  | AcknowledgeRuns
  | ReportAgain
  | RunsAnnounced;

/** The handshake. */
export type Greeting = Hello | Welcome | Refused;
