import assert from 'node:assert/strict';
import { systemClock } from '../lifecycle/platform/system-clock.js';
import { OpenResources } from './case-resources.js';
import type { ComplianceCase, ComplianceKit, ComplianceSubject } from './kit.js';

/** How long one case may take, in milliseconds, unless something else is asked for. */
export const DEFAULT_CASE_TIMEOUT_MS = 30_000;

/** How long what a case has opened may take to close, in milliseconds. */
export const CLOSING_TIMEOUT_MS = 10_000;

/** One case, and whom it is about. */
export interface CaseInHand<Subject extends ComplianceSubject, Capabilities extends object, Given> {
  readonly kit: ComplianceKit<Subject, Capabilities, Given>;
  readonly subject: Subject;
  readonly case: ComplianceCase<Given, Capabilities>;
}

/**
 * Runs one case and closes what it has opened, both in bounded time.
 * @throws what the case threw; an `AssertionError` with the id of the case when it took too long, or left something that
 *   does not close; the reason of the signal.
 */
export async function runCase<Subject extends ComplianceSubject, Capabilities extends object, Given>(
  { kit, subject, case: each }: CaseInHand<Subject, Capabilities, Given>,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<void> {
  const resources = new OpenResources(systemClock);
  const work = async (): Promise<void> => each.run(await kit.prepare(subject, resources));
  const close = async (): Promise<void> => {
    const [failure, ...others] = await resources.close(new Error(`${each.id} is over`));
    if (others.length > 0)
      throw new AggregateError([failure, ...others], `${each.id}: several parts failed to close`);
    if (failure) throw failure;
  };
  let passed = false;
  try {
    await inTime(work(), timeoutMs, `${each.id} was not over within ${timeoutMs} ms`, signal);
    passed = true;
  } finally {
    const closing = inTime(
      close(),
      CLOSING_TIMEOUT_MS,
      `${each.id}: what it opened did not close within ${CLOSING_TIMEOUT_MS} ms`,
    );
    // What fails to close after a failure is its consequence, and would hide it.
    await (passed ? closing : closing.catch(() => undefined));
  }
}

/** Settles as the promise does, or fails when the time is over or the signal aborted first. */
async function inTime<T>(
  promise: Promise<T>,
  timeoutMs: number,
  message: string,
  signal?: AbortSignal,
): Promise<T> {
  let end = (): void => {};
  const ended = new Promise<never>((_, reject) => {
    const timer = systemClock.after(timeoutMs, () => reject(new assert.AssertionError({ message })), {
      holdsProcess: true,
    });
    const abort = (): void => reject(signal?.reason as Error);
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    end = () => {
      timer.cancel();
      signal?.removeEventListener('abort', abort);
    };
  });
  try {
    return await Promise.race([promise, ended]);
  } finally {
    end();
  }
}
