import process from 'node:process';
import { inspect } from 'node:util';
import { exitCodeOf } from './exit-codes.js';
import { printable } from './output/printable.js';

/**
 * Tells people why a command could not do what it was to do; with `ROUTINE_DEBUG` also where in the code.
 * @returns the exit code for it.
 */
export function tellFailure(error: unknown): number {
  process.stderr.write(`${failureText(error)}\n`);
  return exitCodeOf(error);
}

/** An error in one line and those of its causes; with `ROUTINE_DEBUG` with its stack. */
export function failureText(error: unknown): string {
  if (process.env['ROUTINE_DEBUG']) return inspect(error);
  const lines: string[] = [];
  for (let at: unknown = error, depth = 0; at !== undefined && depth < 5; depth += 1) {
    const line = lineOf(at);
    // Many a message repeats that of its cause.
    if (!lines.some((earlier) => earlier.includes(line))) lines.push(line);
    at = (at as { readonly cause?: unknown } | null)?.cause ?? undefined;
  }
  return printable(lines.map((line, index) => (index === 0 ? line : `  because of ${line}`)).join('\n'));
}

function lineOf(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error);
  const { code } = error as { readonly code?: unknown };
  return typeof code === 'string' ? `${code}: ${error.message}` : `${error.name}: ${error.message}`;
}
