import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { createProject, type CreatedProject, type ProjectOptions } from './create-project.js';
import { ask, type Terminal } from './questions.js';
import { isTemplateName, TEMPLATES, type TemplateName } from './templates.js';

const FAILED = 1;
const MISUSED = 2;

const USAGE = `npm create routine-engine [folder] -- --template <template> [--name <name>]

Makes a project with the routine engine. On a terminal it asks for what is not given.

  --template, -t  ${Object.entries(TEMPLATES)
    .map(([name, what]) => `${name.padEnd(12)} ${what}`)
    .join(`\n${' '.repeat(18)}`)}
  --name          name of the package; default: made of the name of the folder
  --help, -h      this text
  --version, -v   version of create-routine-engine
`;

/** A mistake on the command line. */
class Misuse extends Error {}

/** Does what the command line says. @returns the exit code: 0, 1 when it failed, 2 for a mistake on the command line. */
export async function program(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    const { values, positionals } = parsed(args);
    if (values.help) return tell(terminal, USAGE);
    if (values.version) return tell(terminal, `${await version()}\n`);
    const project = await createProject(await optionsOf(values, positionals, terminal));
    return tell(terminal, nextSteps(project));
  } catch (error) {
    const isMisuse = error instanceof Misuse || error instanceof TypeError;
    const hint = isMisuse ? '\nnpm create routine-engine -- --help tells what there is.' : '';
    terminal.errors.write(`${(error as Error).message}${hint}\n`);
    return isMisuse ? MISUSED : FAILED;
  }
}

interface Flags {
  readonly template?: string | undefined;
  readonly name?: string | undefined;
  readonly help?: boolean | undefined;
  readonly version?: boolean | undefined;
}

function parsed(args: readonly string[]): {
  readonly values: Flags;
  readonly positionals: readonly string[];
} {
  const options = {
    template: { type: 'string', short: 't' },
    name: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean', short: 'v' },
  } as const;
  const result = parseArgs({ args: [...args], options, allowPositionals: true });
  if (result.positionals.length > 1) throw new Misuse(`One folder, not ${result.positionals.length}`);
  return result;
}

async function optionsOf(
  { template, name }: Flags,
  [folder]: readonly string[],
  terminal: Terminal,
): Promise<ProjectOptions> {
  if (template !== undefined) assertTemplate(template);
  const named = name === undefined ? {} : { name };
  if (template !== undefined && folder !== undefined) return { template, folder, ...named };
  if (!terminal.input.isTTY)
    throw new Misuse(template === undefined ? 'No template was given' : 'No folder was given');
  const answers = await ask(terminal, { template, folder });
  assertTemplate(answers.template);
  return { template: answers.template, folder: answers.folder, ...named };
}

function assertTemplate(name: string): asserts name is TemplateName {
  if (!isTemplateName(name)) throw new Misuse(`There is no template ${JSON.stringify(name)}`);
}

function nextSteps({ name, folder, files }: CreatedProject): string {
  const below = relative(process.cwd(), folder);
  const enter = below === '' ? [] : [`cd ${/\s/.test(below) ? JSON.stringify(below) : below}`];
  const steps = [...enter, 'npm install', 'npm test'].map((step) => `  ${step}`);
  return `Made ${name}, ${files.length} files. Next:\n\n${steps.join('\n')}\n`;
}

async function version(): Promise<string> {
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function tell({ output }: Terminal, text: string): 0 {
  output.write(text);
  return 0;
}
