import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Body } from './body.js';
import type { BlobPart } from './stored-blob.js';

/** 64 lower-case hex digits that stand for one routine, version and set of arguments. @public */
export type ResultKey = string;

const KEY = /^[0-9a-f]{64}$/;

/**
 * Checks a key before a store does anything with it: no other text ever becomes a path or a name.
 * @throws {@link RoutineEngineError} `STORE_KEY_INVALID`.
 * @public
 */
export function assertResultKey(key: unknown): asserts key is ResultKey {
  if (typeof key === 'string' && KEY.test(key)) return;
  const given = JSON.stringify(String(key).slice(0, 80));
  throw new RoutineEngineError('STORE_KEY_INVALID', `A result key is 64 lower-case hex digits, not ${given}`);
}

/** A result that another was computed from. Plain data. @public */
export interface ResultInput {
  readonly key: ResultKey;
  /** Identity of the store that had it. */
  readonly store: string;
  /** Full id of its routine. */
  readonly routineId: string;
}

/** Most entries of {@link ResultMetadata.inputs}. */
export const RESULT_INPUTS = 1_000;

/** Most pairs of {@link ResultMetadata.outline}. */
export const OUTLINE_ENTRIES = 200;

/** What is known of a stored result beside its bytes. Plain data. @public */
export interface ResultMetadata {
  /** Full routine id, such as `tname:news:train:0.0.1`. */
  readonly routineId: string;
  /** Hash of the source of the routine that computed it, 64 lower-case hex digits; absent when it is not known. */
  readonly sourceHash?: string | undefined;
  /** The run that called it; absent for a root. */
  readonly parentRunId?: string | undefined;
  /** Name of the node that computed it. */
  readonly worker?: string | undefined;
  /** Results that were arguments, or parts of some, by reference. At most {@link RESULT_INPUTS}. */
  readonly inputs?: readonly ResultInput[] | undefined;
  /**
   * Short digests of the arguments and their parts, so that it can be said what differs: path, such as `args[1].rate`, and 16
   * hex digits in turns. At most {@link OUTLINE_ENTRIES} pairs.
   */
  readonly outline?: readonly string[] | undefined;
  /** Canonical digest of the arguments; absent for a result that is kept only because a reference to it was asked for. */
  readonly argumentsDigest?: string | undefined;
  /** The run that computed it. */
  readonly runId: string;
  /** Name of the codec that wrote the bytes. */
  readonly codec: string;
  /** When it was computed, in milliseconds since 1970 (UTC). */
  readonly createdAt: number;
  /** How long the run took, in milliseconds. */
  readonly durationMs: number;
  /** Parts that the store keeps as blobs; in the body they are empty. Absent: none. */
  readonly blobs?: readonly BlobPart[] | undefined;
  /** How many of the last parts are streams in the value. Absent: none. */
  readonly streams?: number | undefined;
  /** What stands for the value in canonical digests, as base64; at most 4,096 bytes. Absent when it was not computed. */
  readonly node?: string | undefined;
}

/** A stored result: its metadata and its bytes. @public */
export interface StoredResult {
  readonly metadata: ResultMetadata;
  readonly body: Body;
}
