import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const file = fileURLToPath(new URL('./fixtures/policy.node-test.mjs', import.meta.url));

function nodeTest(env: Record<string, string> = {}): { status: number | null; stdout: string } {
  return spawnSync(process.execPath, ['--test', '--test-reporter=tap', file], {
    encoding: 'utf8',
    // Under a test runner of its own node would report in a form for that.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: '', ...env },
  });
}

describe('node:test as the runner of a kit', () => {
  it('runs every case under its title and id', () => {
    const { status, stdout } = nodeTest();
    expect(stdout).toContain(
      'says here or remote to any call, at once (execution-policy/decisions/here-or-remote)',
    );
    expect(stdout).toMatch(/# tests 6\n(.*\n)*# pass 6\n# fail 0\n(.*\n)*# skipped 0\n/);
    expect(status).toBe(0);
  });

  it('fails when a case does', () => {
    const { status, stdout } = nodeTest({ BROKEN: '1' });
    expect(stdout).toMatch(/not ok .*\(execution-policy\/placement\/undefined-elsewhere\)/);
    expect(stdout).toMatch(/# fail 1\n/);
    expect(status).toBe(1);
  });
});
