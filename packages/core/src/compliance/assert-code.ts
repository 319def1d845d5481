import assert from 'node:assert/strict';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { ErrorCode } from '../errors/codes.js';

/** Fails unless it is an error of one of the codes. */
export function assertCode(error: unknown, ...codes: readonly ErrorCode[]): void {
  const isOurs = error instanceof RoutineEngineError;
  assert.ok(isOurs, `${String(error)} is no RoutineEngineError with the code ${codes.join(' or ')}`);
  assert.ok(
    (codes as readonly string[]).includes(error.code),
    `the code is ${error.code}, not ${codes.join(' or ')}: ${error.message}`,
  );
}

/** Fails unless the promise rejects with an error of one of the codes. */
export async function assertRejects(
  promise: Promise<unknown>,
  ...codes: readonly ErrorCode[]
): Promise<void> {
  const error: unknown = await promise.then(
    () => assert.fail(`it resolved, and did not reject with ${codes.join(' or ')}`),
    (reason: unknown) => reason,
  );
  if (error instanceof assert.AssertionError) throw error;
  assertCode(error, ...codes);
}

/** Fails unless the call throws an error of the code. */
export function assertThrows(call: () => unknown, code: ErrorCode): void {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return assertCode(error, code);
  }
  assert.fail(`it gave ${String(result)}, and did not throw ${code}`);
}
