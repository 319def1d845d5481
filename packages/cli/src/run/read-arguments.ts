import { readFile } from 'node:fs/promises';
import { text as textOf } from 'node:stream/consumers';
import process from 'node:process';
import { RoutineEngineError } from '@routine-engine/core/adapter';

/** How arguments were given. */
export interface GivenArguments {
  readonly args?: string;
  readonly argsFile?: string;
  /** What of the command line is no option of the command. */
  readonly rest: readonly string[];
}

/**
 * The arguments that a routine is called with.
 * @throws {@link RoutineEngineError} `OPTION_INVALID` naming what can't be read.
 */
export async function readArguments({ args, argsFile, rest }: GivenArguments): Promise<readonly unknown[]> {
  const named = namedArguments(rest);
  if (args === undefined && argsFile === undefined) return named === undefined ? [] : [named];
  if (named !== undefined)
    throw invalid('Arguments are given by --args or --args-file, or one by one, but not both');
  if (args !== undefined) return listOf(args, '--args');
  return listOf(await readAll(argsFile as string), `--args-file ${argsFile}`);
}

function listOf(json: string, where: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw invalid(`${where} is no JSON: ${(cause as Error).message}`, cause);
  }
  if (Array.isArray(value)) return value;
  throw invalid(`${where} must be a JSON array with one item for each argument, such as '[1, "two"]'`);
}

async function readAll(path: string): Promise<string> {
  try {
    return path === '-' ? await textOf(process.stdin) : await readFile(path, 'utf8');
  } catch (cause) {
    throw invalid(`--args-file ${path} can't be read: ${(cause as NodeJS.ErrnoException).code}`, cause);
  }
}

/** `--epochs 100 --rate=0.5 --fast` as `{ epochs: 100, rate: 0.5, fast: true }`. */
function namedArguments(rest: readonly string[]): Record<string, unknown> | undefined {
  const values = new Map<string, unknown>();
  for (let index = 0; index < rest.length; index += 1) {
    const [, name, inline] = /^--([^=]+)(?:=(.*))?$/s.exec(rest[index] ?? '') ?? [];
    if (name === undefined)
      throw invalid(
        `${JSON.stringify(rest[index])} is not expected: arguments are given as --name value, or by --args`,
      );
    if (values.has(name)) throw invalid(`--${name} is given twice; a list is written as --${name} '[1, 2]'`);
    const next = rest[index + 1];
    const hasNext = inline === undefined && next !== undefined && !next.startsWith('--');
    if (hasNext) index += 1;
    values.set(name, valueOf(inline ?? (hasNext ? next : 'true')));
  }
  return values.size === 0 ? undefined : Object.fromEntries(values);
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No JSON, so it is meant as it stands.
    return text;
  }
}

function invalid(message: string, cause?: unknown): RoutineEngineError {
  return new RoutineEngineError('OPTION_INVALID', message, { cause });
}
