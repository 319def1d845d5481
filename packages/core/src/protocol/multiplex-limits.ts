import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { LIMITS } from '../model/limits.js';

/**
 * What a connection over a pipe may hold. The two ends need not agree: each tells the other what it may send.
 * @public
 */
export interface MultiplexLimits {
  /** A body in memory of at most this size travels with its directive. Default and most: `LIMITS.inlineBodyBytes`. */
  readonly inlineBodyBytes: number;
  /** Bytes of one body that the peer may send before it is read. Default: `LIMITS.initialWindowBytes`. */
  readonly initialWindowBytes: number;
  /** Bytes of one body that are asked for ahead of its reader. Default: `LIMITS.streamWindowBytes`. */
  readonly streamWindowBytes: number;
  /**
   * Bytes that are buffered for readers, half of them for what was asked for and half for what came before; and unsent
   * bytes of directives and small bodies before `send` tells to wait. Default: `LIMITS.connectionWindowBytes`.
   */
  readonly connectionWindowBytes: number;
  /**
   * Bodies that may be under way at once: more of the peer's close the connection, and with half as many of its own
   * `send` tells to wait. Default: `LIMITS.openBodies`.
   */
  readonly openBodies: number;
  /** How long `close` may take to send what was given before. Default: `LIMITS.drainMs`. */
  readonly drainMs: number;
}

/** Least that a pipe must carry in one message. */
const LEAST_MESSAGE_BYTES = 1_024;
const MOST_BYTES = 0xffff_ffff;

/** Fills limits in. @throws {@link RoutineEngineError} `OPTION_INVALID`. */
export function multiplexLimits(given: Partial<MultiplexLimits> = {}): MultiplexLimits {
  const { inlineBodyBytes, initialWindowBytes, streamWindowBytes } = LIMITS;
  const { connectionWindowBytes, openBodies, drainMs } = LIMITS;
  const defaults = { inlineBodyBytes, initialWindowBytes, streamWindowBytes, connectionWindowBytes };
  const limits: MultiplexLimits = { ...defaults, openBodies, drainMs, ...given };
  inRange(limits, 'inlineBodyBytes', 0, LIMITS.inlineBodyBytes);
  inRange(limits, 'initialWindowBytes', 0, MOST_BYTES);
  inRange(limits, 'streamWindowBytes', 1, MOST_BYTES);
  inRange(limits, 'connectionWindowBytes', 2, MOST_BYTES);
  inRange(limits, 'openBodies', 1, MOST_BYTES);
  inRange(limits, 'drainMs', 0, MOST_BYTES);
  return limits;
}

/** Refuses a pipe whose messages are too small. @throws {@link RoutineEngineError} `OPTION_INVALID`. */
export function checkMessageBytes(bytes: number): void {
  if (bytes >= LEAST_MESSAGE_BYTES) return;
  throw new RoutineEngineError(
    'OPTION_INVALID',
    `A pipe takes messages of ${bytes} bytes; it must take ${LEAST_MESSAGE_BYTES}`,
  );
}

function inRange(limits: MultiplexLimits, name: keyof MultiplexLimits, least: number, most: number): void {
  const value = limits[name];
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RoutineEngineError(
    'OPTION_INVALID',
    `multiplex: ${name} is ${value}; it must be ${least} to ${most}`,
  );
}
