import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Block } from './documents.js';
import { root } from './documents.js';

/** A ```ts block as a module of its own. */
export interface Snippet extends Block {
  /** Path of the module below the folder of all snippets, without extension. */
  readonly module: string;
  /** Whether it is run as well (```ts run). */
  readonly run: boolean;
  /** What it must print: the block after it, when that is marked ```text output. */
  readonly output: string | undefined;
}

/** Inside the repository, so that packages resolve as they do for a user; ignored by git, and one for each test process. */
const folder = join(root, 'temp/snippets', String(process.pid));

/**
 * The snippets among the blocks of one document. Each is a module of its own; one marked `file=NAME.ts` can be imported by
 * the others of its document as `./NAME.js`.
 */
export function snippetsOf(blocks: readonly Block[]): Snippet[] {
  return blocks.flatMap((block, index) => {
    if (block.language !== 'ts') return [];
    const file = block.marks.find((mark) => mark.startsWith('file='))?.slice('file='.length);
    const next = blocks[index + 1];
    const isOutput = next?.language === 'text' && next.marks.includes('output');
    return {
      ...block,
      module: `${block.document.replace(/\W+/g, '-')}/${file?.replace(/\.ts$/, '') ?? `line-${block.line}`}`,
      run: block.marks.includes('run'),
      output: isOutput ? next.text : undefined,
    };
  });
}

/** Compiles all snippets at once. Returns the compiler's complaints by module, with lines of the document. */
export function compile(snippets: readonly Snippet[]): Map<string, string[]> {
  mkdirSync(folder, { recursive: true });
  for (const snippet of snippets) {
    const path = join(folder, 'src', `${snippet.module}.ts`);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, snippet.text);
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(tsconfig));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const complaints = new Map<string, string[]>();
  for (const complaint of stdout.split(/\n(?=\S)/).filter((text) => text.trim() !== '')) {
    const [, module = '', line, rest] = /^src\/(.+)\.ts\((\d+),\d+\): (.*)/s.exec(complaint) ?? [];
    const snippet = snippets.find((one) => one.module === module);
    // A complaint about no snippet is one about the set-up: every snippet gets it.
    const owners = snippet ? [snippet] : snippets;
    const text = snippet ? `${snippet.document}:${snippet.line + Number(line)}: ${rest}` : complaint;
    for (const { module: owner } of owners)
      complaints.set(owner, [...(complaints.get(owner) ?? []), text.trim()]);
  }
  return complaints;
}

/** Removes what {@link compile} wrote. */
export function removeCompiled(): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Runs a compiled snippet as a user would: in an empty folder, in a process without this test's environment. */
export async function run(
  snippet: Snippet,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const cwd = mkdtempSync(join(tmpdir(), 'snippet-'));
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|NODE_|TEST$|DEV$|PROD$|SSR$|MODE$)/.test(name),
  );
  try {
    const child = spawn(process.execPath, [join(folder, 'dist', `${snippet.module}.js`)], {
      cwd,
      env: Object.fromEntries(own),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 25_000,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve);
    });
    return { code, stdout, stderr };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

const tsconfig = {
  extends: join(root, 'tsconfig.base.json'),
  compilerOptions: {
    rootDir: 'src',
    outDir: 'dist',
    composite: false,
    declaration: false,
    declarationMap: false,
    // An example may name a result that it does nothing with.
    noUnusedLocals: false,
    noUnusedParameters: false,
  },
  include: ['src'],
};
