import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SweepProgram } from './sweep-program.js';

const EXIT_INTERRUPTED = 130;
const STOP_MS = 2_000;

let directory: string;
const programs: SweepProgram[] = [];

function start(...args: string[]): SweepProgram {
  const places = ['--store', join(directory, 'results'), '--output', join(directory, 'models')];
  const program = new SweepProgram(...places, ...args);
  programs.push(program);
  return program;
}

/** @returns the exit code, and how long it took from the signal to the end, in milliseconds. */
async function interrupt(program: SweepProgram, times = 1) {
  const sentAt = performance.now();
  for (let sent = 0; sent < times; sent++) program.child.kill('SIGINT');
  const code = await program.end();
  return { code, tookMs: performance.now() - sentAt };
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spam-sweep-'));
});
afterEach(async () => {
  for (const program of programs.splice(0)) program.kill();
  await rm(directory, { recursive: true, force: true });
});

describe.each([
  ['on a cluster', []],
  ['in one thread', ['--local']],
])('an interrupted sweep %s', (_, args) => {
  it('stops within two seconds, and the next start continues', async () => {
    const first = start(...args);
    await first.says(/^train 2\/31 done/m);
    const { code, tookMs } = await interrupt(first);
    expect(code).toBe(EXIT_INTERRUPTED);
    expect(tookMs).toBeLessThan(STOP_MS);
    expect(first.stderr).toMatch(/Stopped\. What was finished is kept; start again to continue\.\n$/);
    expect(first.stderr).toContain('Stopping ...');
    expect(first.stderr).not.toContain('Error');
    expect(first.stdout).toBe('');

    const second = start(...args);
    await second.says(/^train \d+\/31 done/m);
    await interrupt(second);
    expect(second.stderr).toMatch(/^loadCorpus 1\/1 from the store/m);
    expect(second.stderr).toMatch(/^featurize 1\/1 from the store/m);
    expect(second.stderr.match(/^train \d+\/31 from the store/gm)?.length).toBeGreaterThanOrEqual(2);
  }, 90_000);
});

describe('a sweep that is killed', () => {
  it('goes on at the next start: what had finished is not run again', async () => {
    const first = start();
    await first.says(/^train 3\/31 done/m);
    first.kill();
    expect(await first.end()).toBe('SIGKILL');

    const second = start();
    await second.says(/^train \d+\/31 done/m);
    await interrupt(second);
    expect(second.stderr).toMatch(/^featurize 1\/1 from the store/m);
    expect(second.stderr.match(/^train \d+\/31 from the store/gm)?.length).toBeGreaterThanOrEqual(3);
  }, 90_000);
});

describe('the program', () => {
  it('ends at once at the second SIGINT', async () => {
    const program = start();
    await program.says(/^train \d+\/31 done/m);
    const { code, tookMs } = await interrupt(program, 2);
    expect(code).toBe(EXIT_INTERRUPTED);
    expect(tookMs).toBeLessThan(STOP_MS);
  });

  it('explains itself with --help', async () => {
    const program = start('--help');
    expect(await program.end()).toBe(0);
    expect(program.stdout).toContain('--preset');
  });

  it('ends with 2 for an option that makes no sense', async () => {
    const program = start('--preset', 'huge');
    expect(await program.end()).toBe(2);
    expect(program.stderr).toContain("'huge' is invalid");
  });

  it('ends with 1 and a typed error when the store cannot be used', async () => {
    await writeFile(join(directory, 'results'), 'a file where the directory should be');
    const program = start('--local');
    expect(await program.end()).toBe(1);
    expect(program.stderr).toMatch(/^error [A-Z_]+: .*results/m);
  });
});
