import { existsSync } from 'node:fs';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { emptyDir, routine, RunningCommand } from './support/command.js';

const POLICY = `
import { everythingRemote } from '@routine-engine/core';
const policy: typeof everythingRemote = everythingRemote;
export default { create: () => policy };
`;
const BROKEN = `
export default async () => ({
  implementation: { name: 'policy-of-mine', version: '2.0.0' },
  create: () => ({ name: 'hopeful', decide: () => 'here' }),
});
`;

/** A folder with a package that has one module. */
async function packageWith(source: string): Promise<string> {
  const cwd = await emptyDir();
  await writeFile(join(cwd, 'package.json'), '{ "name": "policies", "version": "1.2.3", "type": "module" }');
  await writeFile(join(cwd, 'subject.ts'), source);
  await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(cwd, 'node_modules'));
  return cwd;
}

const COMMAND = ['compliance', 'execution-policy', 'subject.ts'];

describe('routine compliance', () => {
  it('writes a report and a badge, prints a table, and ends with 0 when every case passes', async () => {
    const cwd = await packageWith(POLICY);
    const { code, stdout } = await routine([...COMMAND, '--out', 'reports'], { cwd });

    expect(stdout).toMatch(/^policies 1\.2\.3 by the kit execution-policy 1\.0\.0, contract \d+\.\d+\.\d+\n/);
    expect(stdout).toMatch(/\ndecisions +5\/5 /);
    expect(stdout).toContain('skipped execution-policy/placement/all-here: ');
    expect(code).toBe(0);
    const report = JSON.parse(await readFile(join(cwd, 'reports/compliance.json'), 'utf8')) as unknown;
    expect(report).toMatchObject({
      kit: { name: 'execution-policy', version: '1.0.0' },
      implementation: { name: 'policies', version: '1.2.3' },
      capabilities: { local: false },
      failed: 0,
      skipped: 1,
    });
    expect(await readFile(join(cwd, 'reports/compliance.svg'), 'utf8')).toMatch(/^<svg .*policies 1\.2\.3/);
  });

  it('names what fails, with the promise that is broken, and ends with 1', async () => {
    const cwd = await packageWith(BROKEN);
    const { code, stdout } = await routine(COMMAND, { cwd });

    expect(stdout).toContain('policy-of-mine 2.0.0 by the kit');
    expect(stdout).toContain('FAILED execution-policy/placement/undefined-elsewhere: sends a call away');
    expect(stdout).toContain('promise: policy-possible');
    expect(code).toBe(1);
  });

  it('prints the report as JSON, of a part of the cases too, and writes no files of a part', async () => {
    const cwd = await packageWith(BROKEN);
    const only = ['--only', 'execution-policy/decisions', '--json'];
    const { code, stdout } = await routine([...COMMAND, ...only], { cwd });

    expect(JSON.parse(stdout)).toMatchObject({ passed: 5, failed: 0, skipped: 0 });
    expect(code).toBe(0);
    expect(existsSync(join(cwd, 'compliance.json'))).toBe(false);
  });

  it('ends with 1 when no case was run', async () => {
    const cwd = await packageWith(POLICY);
    const { code, stderr } = await routine([...COMMAND, '--only', 'execution-policy/nothing'], { cwd });

    expect(stderr).toContain('No case was run');
    expect(code).toBe(1);
  });

  it.each([
    ['an unknown kit', ['compliance', 'policy', 'subject.ts'], 'there are codec, engine, execution-policy'],
    ['a file that is not there', ['compliance', 'execution-policy', 'nothing.ts'], 'There is no file'],
    ['a subject of another kit', ['compliance', 'codec', 'subject.ts'], 'does not fit the kit "codec"'],
    ['a time that is none', [...COMMAND, '--case-timeout', 'long'], 'such as 30d'],
  ])('refuses %s and ends with 2', async (_, args, reason) => {
    const { code, stderr } = await routine(args, { cwd: await packageWith(POLICY) });

    expect(stderr).toContain(reason);
    expect(code).toBe(2);
  });

  it('refuses a module without a subject and ends with 2', async () => {
    const { code, stderr } = await routine(COMMAND, { cwd: await packageWith('export const subject = {};') });

    expect(stderr).toContain('is no subject of the kit "execution-policy"');
    expect(code).toBe(2);
  });

  it('ends although what it judged has left something open, and says so', async () => {
    const leaving = "import { createServer } from 'node:net';\ncreateServer().listen(0, '127.0.0.1');";
    const { code, stderr } = await routine(COMMAND, { cwd: await packageWith(leaving + POLICY) });

    expect(stderr).toMatch(/Something was left open \(.*Server/);
    expect(code).toBe(0);
  });

  it('closes what the case in hand has opened when it is stopped, and ends as shells expect', async () => {
    const cwd = await packageWith(`
      export default {
        capabilities: { durable: false, shared: false },
        create: () => {
          process.stderr.write('asked\\n');
          return new Promise(() => {});
        },
      };
    `);
    const command = new RunningCommand(['compliance', 'result-store', 'subject.ts'], { cwd });
    await command.prints('stderr', /asked/);
    command.child.kill('SIGTERM');

    expect(await command.ended).toMatchObject({
      code: 143,
      stderr: expect.stringContaining('It was stopped'),
    });
  });
});
