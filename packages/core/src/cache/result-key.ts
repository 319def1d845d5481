import { hash } from 'node:crypto';
import type { ResultKey } from '../model/result.js';

/** What a result key stands for. */
export interface ResultKeyParts {
  /** Full routine id, version included. */
  readonly routineId: string;
  /** Hash of the source, for a `-dev` version. */
  readonly sourceHash: string | undefined;
  readonly argumentsDigest: string;
  /** Name of the codec that writes the result. */
  readonly codec: string;
}

/** The key of a result: SHA-256 over the parts, one a line (none of them can hold a line break). */
export function resultKey(parts: ResultKeyParts): ResultKey {
  const { routineId, sourceHash = '', argumentsDigest, codec } = parts;
  return hash('sha256', `result-key-1\n${routineId}\n${sourceHash}\n${argumentsDigest}\n${codec}`, 'hex');
}

/** The key of a result that is kept only since a reference to it was asked for: nobody looks it up by its arguments. */
export function runKey(runId: string, codec: string): ResultKey {
  return hash('sha256', `run-result-1\n${runId}\n${codec}`, 'hex');
}
