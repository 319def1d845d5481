import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

type Table = Readonly<Record<string, string>>;

interface Manifest {
  readonly name: string;
  readonly dependencies?: Table;
  readonly devDependencies?: Table;
}

/** What a program said, and how it ended. */
export interface Ended {
  readonly code: number | null;
  readonly text: string;
}

/** What is packed, by its folder. */
const PACKED = [
  ...['core', 'store-fs', 'transport-inproc', 'transport-ws', 'create'].map((name) => `packages/${name}`),
  'examples/spam-sweep',
];
/** Projects of strangers: they know the packages only as they are published. */
const STRANGERS = ['store-sqlite', 'transport-unix-socket'];
const INSTALL = [
  'install',
  ...['--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock', '--prefer-offline'],
  '--loglevel=error',
];

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A folder outside of the repository, in which projects use the packages as they would be published. */
export class Workshop {
  readonly folder = mkdtempSync(join(tmpdir(), 'routine-engine-packed-'));
  #children: ChildProcess[] = [];

  /** Packs the packages, makes a project of each template, and installs once what all projects ask for. */
  async open(templates: readonly string[]): Promise<void> {
    const tarballs = await this.#pack(root, ...PACKED.flatMap((path) => ['-w', path]));
    await this.#install({ dependencies: pick(tarballs, 'create-routine-engine') });
    for (const template of templates)
      await this.expect('npx', ['--no-install', 'create-routine-engine', template, '-t', template]);
    for (const name of STRANGERS)
      cpSync(join(root, 'examples', name), this.#path(name), { recursive: true, filter: isSource });
    const manifests = [...templates, ...STRANGERS].map((name) => this.#manifest(name));
    const wanted = together(
      manifests.flatMap((each) => [each.dependencies ?? {}, each.devDependencies ?? {}]),
    );
    const sweep = pick(tarballs, 'spam-sweep');
    await this.#install({ dependencies: { ...wanted, ...ofTarballs(wanted, tarballs), ...sweep } });
  }

  /** Packs the projects of strangers, which are built, and installs them. */
  async installStrangers(): Promise<void> {
    const paths: string[] = [];
    for (const name of STRANGERS) paths.push(...Object.values(await this.#pack(this.#path(name))));
    await this.expect('npm', [...INSTALL, ...paths.map((path) => path.replace(/^file:/, ''))]);
  }

  /** Runs a program to its end. */
  run(command: string, args: readonly string[], cwd = this.folder): Promise<Ended> {
    return new Promise((resolve) => {
      const options = { cwd, env: environment(), maxBuffer: 64 * 1024 * 1024 };
      const child = execFile(command, [...args], options, (_, stdout, stderr) =>
        resolve({ code: child.exitCode, text: stdout + stderr }),
      );
    });
  }

  /** @throws an Error with what it said, when it failed. */
  async expect(command: string, args: readonly string[], cwd = this.folder): Promise<string> {
    const { code, text } = await this.run(command, args, cwd);
    if (code === 0) return text;
    throw new Error(`${command} ${args.join(' ')} in ${cwd} ended with ${code}:\n${text}`);
  }

  /** Starts a node of a cluster. Resolves when it is ready. */
  async start(script: string, ...args: readonly string[]): Promise<void> {
    const child = spawn(process.execPath, [script, ...args], { cwd: this.folder, env: environment() });
    this.#children.push(child);
    let text = '';
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => reject(new Error(`${args.join(' ')} ended: ${text}`)));
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (said: string) => {
          text += said;
          if (text.includes('ready\n')) resolve();
        });
    });
  }

  /** Ends the nodes in order, those that were started last first. @returns how they ended. */
  async stop(): Promise<readonly (number | null)[]> {
    const codes: (number | null)[] = [];
    for (const child of this.#children.splice(0).toReversed()) {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.stdin?.end();
      if (child.exitCode === null) await ended;
      codes.push(child.exitCode);
    }
    return codes;
  }

  copy(from: string): void {
    cpSync(new URL(from, import.meta.url), this.#path(from), { recursive: true });
  }

  close(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** @returns what to ask for in a manifest, by the name of the package. */
  async #pack(from: string, ...args: readonly string[]): Promise<Table> {
    const options = ['pack', '--json', '--ignore-scripts', '--loglevel=error', '--pack-destination'];
    const text = await this.expect('npm', [...options, this.folder, ...args], from);
    // npm 12 gives them by name.
    const packed = Object.values(JSON.parse(text) as Record<string, { name: string; filename: string }>);
    return Object.fromEntries(
      packed.map(({ name, filename }) => [name, `file:${this.#path(filename.replace('/', '-'))}`]),
    );
  }

  async #install(manifest: object): Promise<void> {
    const whole = { name: 'packed', private: true, type: 'module', ...manifest };
    writeFileSync(this.#path('package.json'), JSON.stringify(whole));
    await this.expect('npm', INSTALL);
  }

  #manifest(project: string): Manifest {
    return JSON.parse(readFileSync(join(this.#path(project), 'package.json'), 'utf8')) as Manifest;
  }

  #path(name: string): string {
    return join(this.folder, name);
  }
}

function isSource(path: string): boolean {
  return !/[\\/](node_modules|dist)$/.test(path);
}

function pick(table: Table, name: string): Table {
  return { [name]: table[name] ?? '' };
}

function ofTarballs(wanted: Table, tarballs: Table): Table {
  return Object.fromEntries(
    Object.keys(wanted).flatMap((name) => (tarballs[name] ? [[name, tarballs[name]]] : [])),
  );
}

/** @throws an Error when two ask for the same in different versions, of which one would not be what it gets. */
function together(tables: readonly Table[]): Table {
  const all: Record<string, string> = {};
  for (const [name, range] of tables.flatMap((table) => Object.entries(table))) {
    if (name.startsWith('@routine-engine/')) all[name] = '';
    else if ((all[name] ??= range) !== range)
      throw new Error(`${name} is asked for as ${range} and ${all[name]}`);
  }
  return all;
}

/** That of a user: without what npm and the test runner that run this test say. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) =>
      !/^(VITEST|NODE_|TEST$|DEV$|PROD$|SSR$|MODE$|npm_(package|lifecycle|config_local_prefix))/.test(name),
  );
  return { ...Object.fromEntries(own), NO_COLOR: '1' };
}
