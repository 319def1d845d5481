import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { onTestFinished } from 'vitest';
import { newDirectory } from '../place.ts';

/** Whether this process may mount file systems. Elsewhere the tests that need one of their own are left out. */
export const canMount = process.platform === 'linux' && isDone('unshare', '--mount', 'true');

/** A file system in memory of its own, which goes when the test is over. @param options - such as `size=1m`. */
export function newFileSystem(options: string): string {
  const dir = newDirectory();
  run('mount', '-t', 'tmpfs', '-o', options, 'none', dir);
  onTestFinished(() => run('umount', '--lazy', dir));
  return dir;
}

/** From now on nothing can be written to a file system; or it can again. */
export function setReadOnly(dir: string, readOnly: boolean): void {
  run('mount', '-o', `remount,${readOnly ? 'ro' : 'rw'}`, dir);
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: 'pipe' });
}

function isDone(command: string, ...args: readonly string[]): boolean {
  try {
    run(command, ...args);
    return true;
  } catch {
    // Not permitted, or no such command.
    return false;
  }
}
