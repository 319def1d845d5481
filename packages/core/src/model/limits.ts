import { ERROR_LIMITS } from '../errors/error-limits.js';

/**
 * Every default number, each with its unit in its name. Options override them one by one.
 * @public
 */
export const LIMITS = {
  /** How often the service asks a node for its pulse. */
  heartbeatMs: 2_000,
  /** A worker whose pulse is this late is shown as UNRESPONSIVE and gets no new runs. */
  suspectMs: 5_000,
  /**
   * A worker whose pulse is this late has lost its leases: its runs are placed elsewhere. A client that is without a connection
   * for so long is gone: what it asked for is cancelled.
   */
  leaseMs: 10_000,
  /**
   * A client that is connected and whose pulse is this late is gone, too. Longer than for a worker, since what a script
   * computes itself, without a pause, delays its pulse. For so long, too, runs of before the service was started wait for it.
   */
  clientLeaseMs: 60_000,
  /** How long a node that lost its connection waits at most before it dials the first time. Twice as long each further time. */
  redialFirstMs: 100,
  /** The longest that a node waits between two dials. */
  redialMostMs: 5_000,
  /** How long a client tries to reach the service again before its pending runs fail. */
  reconnectForMs: 300_000,
  /** How long a requester that was asked for the arguments of a run once more may take. */
  resendMs: 300_000,
  /** Priorities go from minus this to this. */
  highestPriority: 100,
  /** Runs that may wait at one service; a request beyond them fails with QUEUE_FULL. */
  queuedRuns: 1_000_000,
  /** Bytes of arguments of the runs that wait at one service, those in a store or still at their requesters aside; as `queuedRuns`. */
  queuedBytes: 1024 * 1024 * 1024,
  /** Unanswered requests that a node has at once of one parent run, or of no run, and one priority; it keeps the others itself. */
  requestsInFlight: 10_000,
  /** Bytes of an argument from which on a run is rather placed where they are at hand. */
  localityBytes: 64 * 1024,
  /** How many workers one run may bring down before it fails as RUN_POISONED. */
  maxDeliveries: 3,
  /** How often a run may be given back by workers that lost it by no fault of its own before it fails as WORKER_LOST. */
  maxLosses: 100,
  /** How many outcomes the service keeps at hand for one requester that does not acknowledge them. */
  unacknowledgedRuns: 100_000,
  /** Runs that one node executes by itself and that the service is told of; further ones are not told. */
  announcedRuns: 10_000,
  /** How many triggers, one after the other, may lead to one run. */
  triggerDepth: 8,
  /** Longest error that the handler of a trigger is given whole, in UTF-16 units of its JSON. */
  triggerErrorLength: 16_384,
  /** How long a cancelled run may go on before its thread is ended. */
  cancelGraceMs: 500,
  /** How many runs may be above a run: a call that is deeper fails as RECURSIVE_CALL. */
  callDepth: 1_000,
  /** How long a submitted run is known after its end. */
  finishedRunsMs: 600_000,
  /** How many submitted runs are known after their end; the oldest are forgotten first. */
  finishedRuns: 1_000,
  /** How long the service keeps the outcome of a detached run. */
  detachedOutcomesMs: 3_600_000,
  /** How many outcomes of detached runs the service keeps; the oldest are forgotten first. */
  detachedOutcomes: 10_000,
  /** Bytes of results and errors of detached runs that the service keeps; the oldest are forgotten first. */
  detachedOutcomesBytes: 256 * 1024 * 1024,
  /** Largest result of a detached run that the service keeps; its large parts in a store that nodes share do not count. */
  detachedResultBytes: 16 * 1024 * 1024,
  /** How many calls of one `map` are under way, or wait to be taken, unless it says more. */
  mapConcurrency: 1_000,
  /** How long the first retry of a run waits, unless its options say more. */
  retryBackoffMs: 1_000,
  /** How long any retry of a run waits at most, unless its options say more. */
  retryMaxBackoffMs: 60_000,
  /** How often a run that failed may be run again. */
  retryAttempts: 100_000,
  /** How long a background thread may take to load its modules. */
  threadStartMs: 30_000,
  /** How long a handshake may take. */
  handshakeMs: 10_000,
  /** Largest directive without its body. */
  controlFrameBytes: 1024 * 1024,
  /** Size of one chunk of a body, and the longest message of a pipe. */
  chunkBytes: 256 * 1024,
  /** A body in memory of at most this size travels with its directive; a larger one streams behind it. */
  inlineBodyBytes: 256 * 1024,
  /** Bytes of one body that are sent before anybody at the other end reads it. */
  initialWindowBytes: 256 * 1024,
  /** Bytes of one body that are asked for ahead of its reader. */
  streamWindowBytes: 4 * 1024 * 1024,
  /** Bytes that one connection buffers for readers, and unsent bytes it may hold before a sender waits. */
  connectionWindowBytes: 16 * 1024 * 1024,
  /**
   * Bytes that wait at the service for one node that does not read them, beside what its connection holds. More close the
   * connection; a node that comes back is told again what it still wants.
   */
  unreadBytes: 64 * 1024 * 1024,
  /** Bodies that one peer may have under way at once on one connection. */
  openBodies: 65_536,
  /** How long something that closes may take to finish what it was given before: a connection, a worker, the runs of triggers. */
  drainMs: 30_000,
  /** Deepest nesting of a value that is encoded or decoded. */
  valueDepth: 200,
  /** Most items (array elements, entries, properties) of one decoded value, buffers not counted. */
  valueItems: 50_000_000,
  /** Deepest cause chain of an error that is carried to another node. */
  errorCauses: ERROR_LIMITS.causes,
  /** Longest message or stack of an error that is carried to another node, in UTF-16 units. */
  errorTextLength: ERROR_LIMITS.textLength,
  /** A part of a value of at least this size is kept as a blob, and goes by reference where both sides share a store. */
  blobBytes: 256 * 1024,
  /** A stream of a result that is at most this long stays in memory. */
  streamInMemoryBytes: 1024 * 1024,
  /** Bytes of one stream that are under way between a background thread and its host. */
  threadWindowBytes: 1024 * 1024,
  /** Bytes of fetched content that one process keeps for further runs, the least recently used out first. */
  contentCacheBytes: 256 * 1024 * 1024,
  /** Bytes of results the in-memory store keeps before it evicts the least recently used. */
  memoryStoreBytes: 256 * 1024 * 1024,
} as const;
