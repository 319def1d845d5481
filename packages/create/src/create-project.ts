import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isTemplateName, TEMPLATES, type TemplateName } from './templates.js';

/** What project is made. @public */
export interface ProjectOptions {
  readonly template: TemplateName;
  /** Where; made when it is not there. */
  readonly folder: string;
  /** Name of the package. Default: made of the name of the folder. */
  readonly name?: string;
}

/** What was made. @public */
export interface CreatedProject {
  readonly name: string;
  /** Absolute path. */
  readonly folder: string;
  /** Paths below the folder, sorted. */
  readonly files: readonly string[];
}

type Table = Readonly<Record<string, string>>;

/** Stands in templates for the versions that this package was released with. */
const OWN_VERSION = '*';
const OURS = '@routine-engine/';
const MANIFEST = 'package.json';
/** What npm would not pack under the name that it has in a project, or what would mean something in the package. */
const RENAMED = new Map([
  ['_gitignore', '.gitignore'],
  ['_package.json', MANIFEST],
]);
/** As npm has it for new packages. */
const PACKAGE_NAME = /^(@[a-z0-9][a-z0-9-._]*\/)?[a-z0-9][a-z0-9-._]*$/;
const LONGEST_NAME = 214;

/**
 * Makes a project from a template. It installs nothing.
 * @throws TypeError for a template or name that is none; an Error for a folder that has something in it. Then nothing is written.
 * @public
 */
export async function createProject(options: ProjectOptions): Promise<CreatedProject> {
  const { template } = options;
  if (!isTemplateName(template))
    throw new TypeError(
      `There is no template ${String(template)}; there are ${Object.keys(TEMPLATES).join(', ')}`,
    );
  const folder = resolve(options.folder);
  const name = options.name ?? nameOf(folder);
  if (!PACKAGE_NAME.test(name) || name.length > LONGEST_NAME)
    throw new TypeError(`${JSON.stringify(name)} is no name of a package, such as my-routines`);
  await assertEmpty(folder);
  const source = fileURLToPath(new URL(`../templates/${template}/`, import.meta.url));
  const own = await ownVersions();
  const files: string[] = [];
  for (const path of await filesBelow(source)) {
    const text = await readFile(join(source, path), 'utf8');
    const target = join(dirname(path), RENAMED.get(basename(path)) ?? basename(path));
    const made = target === MANIFEST ? manifestOf(text, name, own) : text.replaceAll('{{name}}', name);
    await mkdir(dirname(join(folder, target)), { recursive: true });
    await writeFile(join(folder, target), made, { flag: 'wx' });
    files.push(target);
  }
  return { name, folder, files: files.toSorted() };
}

function nameOf(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9-._]+/g, '-')
    .replace(/^[-._]+/, '');
  return name || 'my-routines';
}

async function assertEmpty(folder: string): Promise<void> {
  const there = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  // Who makes the repository first has that in it.
  const [first] = there.filter((entry) => entry !== '.git');
  if (first !== undefined)
    throw new Error(`${folder} has something in it already, such as ${first}: name a new folder`);
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length))
    .toSorted();
}

/** Ranges of the other packages: those that this one is developed with. */
async function ownVersions(): Promise<Table> {
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { devDependencies?: Table }).devDependencies ?? {};
}

function manifestOf(template: string, name: string, own: Table): string {
  const manifest = JSON.parse(template) as Record<string, unknown>;
  const filled = Object.entries(manifest).map(([field, value]) => {
    if (field === 'name') return [field, name];
    return [field, /^(dev|peer)?[dD]ependencies$/.test(field) ? rangesOf(value as Table, own) : value];
  });
  return `${JSON.stringify(Object.fromEntries(filled), undefined, 2)}\n`;
}

function rangesOf(table: Table, own: Table): Table {
  const ranges = Object.entries(table).map(([dependency, range]) => {
    if (range !== OWN_VERSION || !dependency.startsWith(OURS)) return [dependency, range];
    const version = own[dependency];
    if (version === undefined)
      throw new Error(`A template needs ${dependency}, and its version is not known`);
    return [dependency, version];
  });
  return Object.fromEntries(ranges) as Table;
}
