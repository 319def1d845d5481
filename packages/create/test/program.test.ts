import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { program } from '../src/program.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'create-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

interface Said {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** @param answers - lines typed on a terminal; absent: there is none. */
async function run(args: readonly string[], answers?: readonly string[]): Promise<Said> {
  const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
  if (answers) input.end(answers.map((line) => `${line}\n`).join(''));
  const terminal = { input: Object.assign(input, { isTTY: answers !== undefined }), output, errors };
  const code = await program(args, terminal);
  const text = (stream: PassThrough): string => {
    const chunks: Buffer[] = [];
    for (let chunk = stream.read() as Buffer | null; chunk; chunk = stream.read() as Buffer | null)
      chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  return { code, output: text(output), errors: text(errors) };
}

describe('with flags', () => {
  it('makes a project, and says what to do next', async () => {
    const project = join(folder, 'my store');
    const { code, output } = await run([project, '--template', 'store', '--name', 'mine']);
    expect(code).toBe(0);
    expect(output).toMatch(
      /^Made mine, \d+ files\. Next:\n\n {2}cd ".*my store"\n {2}npm install\n {2}npm test\n$/,
    );
    expect(existsSync(join(project, 'src/file-store.ts'))).toBe(true);
  });

  it('tells of itself', async () => {
    const { output } = await run(['--help']);
    for (const word of ['--template', 'app', 'distributed', 'transport', 'store', 'codec'])
      expect(output).toContain(word);
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(await run(['-v'])).toEqual({ code: 0, output: `${version}\n`, errors: '' });
  });

  it.each([
    [['somewhere'], 'No template was given'],
    [['-t', 'app'], 'No folder was given'],
    [['somewhere', '-t', 'nothing'], 'There is no template "nothing"'],
    [['a', 'b', '-t', 'app'], 'One folder, not 2'],
    [['--unknown'], "Unknown option '--unknown'"],
    [['somewhere', '-t', 'app', '--name', 'Bad Name'], '"Bad Name" is no name of a package'],
  ])('takes %j for a mistake', async (args, message) => {
    const { code, output, errors } = await run(args);
    expect([code, output]).toEqual([2, '']);
    expect(errors).toContain(message);
    expect(errors).toContain('npm create routine-engine -- --help');
  });

  it('fails where something is', async () => {
    await run([folder, '-t', 'app']);
    expect(await run([folder, '-t', 'app'])).toMatchObject({ code: 1, output: '' });
  });
});

describe('on a terminal', () => {
  it('asks for what is not given', async () => {
    const project = join(folder, 'asked');
    const { code, output } = await run([], [project, '4']);
    expect(code).toBe(0);
    expect(output).toContain('Folder? (my-routines)');
    expect(output).toContain('2 distributed');
    expect(existsSync(join(project, 'src/file-store.ts'))).toBe(true);
  });

  it('takes names, and the usual for an empty answer', async () => {
    const [named, usual] = [join(folder, 'named'), join(folder, 'usual')];
    expect(await run([named], ['codec'])).toMatchObject({ code: 0 });
    expect(await run([usual], [''])).toMatchObject({ code: 0 });
    expect(existsSync(join(named, 'src/gzip-codec.ts'))).toBe(true);
    expect(existsSync(join(usual, 'src/main.ts'))).toBe(true);
  });

  it('makes nothing of an answer that is none, or of none at all', async () => {
    const project = join(folder, 'made');
    expect(await run([project], ['9'])).toMatchObject({ code: 2, errors: expect.stringContaining('"9"') });
    expect(await run([project], [])).toMatchObject({
      code: 1,
      errors: expect.stringContaining('not answered'),
    });
    expect(readdirSync(folder)).toEqual([]);
  });
});
