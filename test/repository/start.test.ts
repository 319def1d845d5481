import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from './documents.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'start-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

/** Runs one of the scripts behind `npm start` and its like, from another folder. */
function script(name: string, ...args: string[]) {
  return spawnSync(process.execPath, [join(root, 'scripts', name), ...args], { cwd, encoding: 'utf8' });
}

describe('scripts/start.mjs', () => {
  it('hands its arguments to the program and keeps stdout for it', () => {
    const { status, stdout, stderr } = script('start.mjs', '--help');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: /);
  });

  it('exits with the code of the program', () => {
    const { status, stdout } = script('start.mjs', '--no-such-option');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  });
});

describe('scripts/prepare.mjs', () => {
  // Where the shell of npm gives way to its command, ctrl-C arrives from the terminal and once more from npm.
  it('lets a program hear an interrupt once that arrives twice at once', () => {
    writeFileSync(
      join(cwd, 'program.mjs'),
      `let heard = 0;
      process.on('SIGINT', () => heard++);
      const interrupt = () => process.kill(process.pid, 'SIGINT');
      setTimeout(interrupt, 0);
      setTimeout(interrupt, 20);
      setTimeout(interrupt, 500);
      setTimeout(() => console.log(heard), 700);`,
    );
    const start = `import { run } from ${JSON.stringify(pathToFileURL(join(root, 'scripts/prepare.mjs')))};
      await run(${JSON.stringify(relative(root, join(cwd, 'program.mjs')))}, []);`;
    const args = ['--input-type=module', '-e', start];
    expect(spawnSync(process.execPath, args, { cwd, encoding: 'utf8' }).stdout).toBe('2\n');
  });
});
