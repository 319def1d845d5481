import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import process from 'node:process';
import { root } from './documents.js';

/** What the command says of itself. */
export interface RoutineCommand {
  readonly flags: ReadonlySet<string>;
  readonly variables: ReadonlySet<string>;
}

const MAIN = join(root, 'packages/cli/dist/main.js');

function help(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args, '--help'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`routine ${args.join(' ')} --help ended with ${status}: ${stderr}`);
  return stdout;
}

/** Names of commands in a help text, where each begins a line. */
function commandsIn(text: string): string[] {
  const [, listed = ''] = /\nCommands:\n((?: .*\n)+)/.exec(text) ?? [];
  return [...listed.matchAll(/^ {2}([a-z]+)\b/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help');
}

/** Every command, also one of another such as `cache ls`, with its flags and variables. */
export function routineCommands(): ReadonlyMap<string, RoutineCommand> {
  const commands = new Map<string, RoutineCommand>();
  const add = (path: readonly string[]): void => {
    const text = help(...path);
    const flags = new Set([...text.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag = '']) => flag));
    const variables = new Set([...text.matchAll(/\bROUTINE_[A-Z_]+\b/g)].map(([name]) => name));
    commands.set(path.join(' '), { flags, variables });
    for (const name of commandsIn(text)) add([...path, name]);
  };
  add([]);
  return commands;
}

/** The words after `routine` of each command line in a shell script; quotes keep words together. */
export function routineLines(script: string): string[][] {
  const lines = script.replaceAll('\\\n', ' ').split('\n');
  return lines.flatMap((line) =>
    commandsOf(wordsOf(line)).flatMap((words) => {
      const at = words.findIndex((word) => /^(routine|.*@routine-engine\/cli\/dist\/main\.js)$/.test(word));
      const isCommand =
        at !== -1 && words.slice(0, at).every((word) => /^(npx|node|exec|\S+=\S*)$/.test(word));
      return isCommand ? [words.slice(at + 1)] : [];
    }),
  );
}

/** Words, operators of the shell among them; what follows a `#` is none. */
function wordsOf(line: string): string[] {
  const words: string[] = [];
  for (const [word] of line.matchAll(/(?:'[^']*'|"[^"]*"|\\.|[^\s'"&|;()])+|[&|;()]+/g)) {
    if (word.startsWith('#')) break;
    words.push(word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'));
  }
  return words;
}

function commandsOf(words: readonly string[]): string[][] {
  const commands: string[][] = [[]];
  for (const word of words) {
    if (/^[&|;()]+$/.test(word)) commands.push([]);
    else commands.at(-1)?.push(word);
  }
  return commands;
}

/** What is wrong with a command line: a command or a flag that there is not. */
export function complaintsOf(
  words: readonly string[],
  commands: ReadonlyMap<string, RoutineCommand>,
): string[] {
  const [first = ''] = words;
  const name = [words.slice(0, 2).join(' '), first].find((each) => commands.has(each));
  const command = commands.get(name ?? '');
  if (name === undefined || !command)
    return first === '' || first.startsWith('-') ? [] : [`no command ${first}`];
  // `run` hands what it does not know to the routine.
  if (name === 'run') return [];
  const flags = words.filter((word) => word.startsWith('--')).map((word) => word.split('=', 1)[0] ?? '');
  return flags.filter((flag) => !command.flags.has(flag)).map((flag) => `routine ${name} has no ${flag}`);
}
