import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyDir, routine, ROUTINES } from './support/command.js';

const MEMORY = ['--store', 'memory'];

describe('routine run', () => {
  it('runs the workflow of a TypeScript file in this process, and prints its result', async () => {
    const ended = await routine(['run', ROUTINES, '--upTo', '3', ...MEMORY]);
    expect(ended).toMatchObject({ code: 0, stdout: '{\n  "total": 12\n}\n', stderr: '' });
  });

  it.each([
    [['--args', '[5, 2]'], '10'],
    [['--args-file', '-'], '42'],
  ])('takes arguments from %j', async (args, expected) => {
    const ended = await routine(['run', ROUTINES, '--routine', 'scaled', ...args, ...MEMORY], {
      input: '[21, 2]',
    });
    expect(ended).toMatchObject({ code: 0, stdout: `${expected}\n` });
  });

  it('runs a routine by its id, of the modules that the configuration names', async () => {
    const cwd = await emptyDir();
    await writeFile(
      join(cwd, 'routine.config.ts'),
      `const modules: string[] = [${JSON.stringify(ROUTINES)}];\nexport default { project: 'conf', modules, store: 'memory' };`,
    );
    const ended = await routine(['run', 'tname:conf:scaled:1.0.0', '--args', '[4, 2]', '--json'], { cwd });
    expect(ended).toMatchObject({ code: 0, stdout: '8\n' });
  });

  it('keeps results where --store says, so that the next run finds them', async () => {
    const cwd = await emptyDir();
    const args = ['run', ROUTINES, '--routine', 'counted', '--args', '["executions"]', '--store', 'kept'];
    const [first, second] = [await routine(args, { cwd }), await routine(args, { cwd })];
    expect([first.stdout, second.stdout]).toEqual(['1\n', '1\n']);
  });

  it.each([
    ['bytes as they are', 'bytes', 'abc'],
    ['a stream as it comes', 'stream', 'onetwo'],
    ['a text as it is', 'words', 'plain text\n'],
    ['nothing for undefined', 'nothing', ''],
    ['what JSON can not say as one would look at it', 'map', "Map(1) { 'a' => 1n }\n"],
  ])('prints %s', async (_what, name, stdout) => {
    const ended = await routine(['run', ROUTINES, '--routine', name, ...MEMORY]);
    expect(ended).toMatchObject({ code: 0, stdout });
  });

  it('prints the nearest JSON with --json', async () => {
    const ended = await routine(['run', ROUTINES, '--routine', 'map', '--json', ...MEMORY]);
    expect(ended.stdout).toBe('[["a","1"]]\n');
  });
});

describe('routine run of what can not be run', () => {
  it.each<[string, readonly string[], number, RegExp]>([
    ['a routine that throws', ['--routine', 'throwing'], 1, /^TypeError: this is what it throws\n$/],
    [
      'no such export',
      ['--routine', 'other'],
      2,
      /routines\.ts exports no routine other; it has .*default \(wfname:sum\)/,
    ],
    ['arguments that are no JSON', ['--args', '[1'], 2, /OPTION_INVALID: --args is no JSON/],
    ['arguments that are no list', ['--args', '{}'], 2, /--args must be a JSON array/],
    ['arguments in two ways', ['--args', '[]', '--upTo', '3'], 2, /one by one, but not both/],
    ['an argument without a name', ['stray'], 2, /"stray" is not expected/],
    ['an argument that comes twice', ['--upTo', '3', '--upTo', '4'], 2, /--upTo is given twice/],
    [
      'a file of arguments that is not there',
      ['--args-file', '/no/such'],
      2,
      /--args-file \/no\/such can't be read: ENOENT/,
    ],
  ])('ends with the code for %s', async (_what, args, code, message) => {
    const ended = await routine(['run', ROUTINES, ...args, ...MEMORY]);
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
  });

  it.each<[string, readonly string[], number, RegExp]>([
    ['what is neither file nor id', ['nowhere.ts'], 2, /nowhere\.ts is neither a file nor a routine id/],
    ['an id that nobody defines', ['tname:local:missing:1.0.0'], 4, /ROUTINE_UNKNOWN/],
    ['an id that is none', ['tname:'], 2, /ROUTINE_ID_INVALID/],
    [
      'a service that is not there',
      ['wfname:sum', '--url', 'ws://127.0.0.1:1/', '--connect-timeout-ms', '0'],
      3,
      /TRANSPORT_UNREACHABLE/,
    ],
  ])('ends with the code for %s', async (_what, args, code, message) => {
    const ended = await routine(['run', ...args, ...MEMORY]);
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
  });

  it('names the module that can not be loaded, and why', async () => {
    const cwd = await emptyDir();
    await writeFile(join(cwd, 'broken.ts'), "throw new RangeError('broken on purpose');");
    const ended = await routine(['run', 'broken.ts'], { cwd });
    expect(ended).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /ROUTINE_MODULE_FAILED: .*broken\.ts could not be loaded: broken on purpose/,
      ),
    });
  });
});
