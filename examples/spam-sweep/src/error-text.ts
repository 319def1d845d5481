import type { ErrorCode } from '@routine-engine/core';

/**
 * An error for the person at the terminal: its stable code, its message and what caused it. An error without a code is
 * a defect of the program, so its stack is shown.
 */
export function errorText(error: unknown): string {
  const lines = [headline(error)];
  if (error instanceof AggregateError) lines.push(...error.errors.map((part) => `  - ${headline(part)}`));
  const seen = new Set([error]);
  for (let cause = causeOf(error); cause !== undefined && !seen.has(cause); cause = causeOf(cause)) {
    seen.add(cause);
    lines.push(`  caused by: ${headline(cause)}`);
  }
  return lines.join('\n');
}

/** Whether an error has this stable code. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function headline(error: unknown): string {
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  if ('code' in error && typeof error.code === 'string') return `error ${error.code}: ${error.message}`;
  return `error: ${error.stack ?? error.message}`;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}
