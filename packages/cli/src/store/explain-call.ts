import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  explain,
  matchesRoutineId,
  parseRoutineId,
  type Explanation,
  type ResultDifference,
} from '@routine-engine/core';
import { RoutineEngineError } from '@routine-engine/core/adapter';
import { EXIT } from '../exit-codes.js';
import type { CommandContext } from '../node/context.js';
import { routineModules } from '../node/modules.js';
import { printable } from '../output/printable.js';
import { writeOut } from '../output/write-out.js';
import { type AnyRoutine, exportedRoutines, findRoutine } from '../run/find-routine.js';
import { readArguments } from '../run/read-arguments.js';
import type { GivenFlags } from '../settings/settings.js';
import { withStore } from './with-store.js';

/** Options of `routine cache why` beside the settings. */
export interface ExplainOptions {
  readonly routine?: string;
  readonly args?: string;
  readonly argsFile?: string;
  readonly json?: boolean;
}

/**
 * Says whether a call would be answered from the store, and if not, why.
 * @param target - a routine id, or a file.
 * @param rest - what of the command line is no option: arguments by name.
 * @returns the exit code.
 */
export async function explainCall(
  target: string,
  rest: readonly string[],
  options: ExplainOptions & GivenFlags,
): Promise<number> {
  const args = await readArguments({ ...options, rest });
  const told = await withStore(options, async ({ context, lifecycle }) => {
    const routine = await routineOf(context, target, options.routine);
    return lifecycle.run(() => explain(routine, ...args));
  });
  await writeOut(options.json ? `${JSON.stringify(told)}\n` : printable(textOf(told)));
  return EXIT.ok;
}

async function routineOf(
  context: CommandContext,
  target: string,
  wanted: string | undefined,
): Promise<AnyRoutine> {
  const path = resolve(context.cwd, target);
  if (existsSync(path)) return findRoutine(pathToFileURL(path), wanted);
  const id = parseRoutineId(target);
  for (const module of routineModules(context, []))
    for (const routine of (await exportedRoutines(module)).values())
      if (id.form === 'name' && matchesRoutineId(parseRoutineId(routine.id), id)) return routine;
  throw new RoutineEngineError(
    'ROUTINE_UNKNOWN',
    `No module of the configuration exports ${target}: give its file, or name its module in modules`,
  );
}

function textOf(told: Explanation): string {
  if (told.status === 'hit') {
    const { routineId, createdAt, worker, runId } = told.metadata;
    const by = worker === undefined ? '' : ` by ${worker}`;
    return `hit: ${told.key}\n${routineId}, computed ${new Date(createdAt).toISOString()}${by} in run ${runId}\n`;
  }
  const { key, why, nearest } = told;
  const lines = [`miss: ${why}`, ...(key === undefined ? [] : [`its key would be ${key}`])];
  if (nearest)
    lines.push(`nearest: ${nearest.key}`, ...nearest.differences.map((each) => `  ${differenceText(each)}`));
  return `${lines.join('\n')}\n`;
}

function differenceText(difference: ResultDifference): string {
  switch (difference.what) {
    case 'argument':
      return `${difference.path} differs`;
    case 'source':
      return 'the source of the -dev version has changed';
    case 'age':
      return `it is ${difference.ageMs} ms old, and ttlMs is ${difference.ttlMs}`;
    case 'version':
    case 'codec':
      return `the ${difference.what} is ${difference.stored} there, and ${difference.called} here`;
  }
}
