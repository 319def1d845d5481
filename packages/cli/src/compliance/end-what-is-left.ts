import process from 'node:process';

const PATIENCE_MS = 2_000;

/**
 * Ends the process when something that the implementation left open keeps it: a report that never ends its command is of no use
 * in CI. Does nothing in a process that has nothing left to do.
 */
export function endWhatIsLeft(exitCode: number): void {
  const end = (): void => {
    const left = process
      .getActiveResourcesInfo()
      .filter((name) => name !== 'Timeout' && !name.startsWith('TTY'));
    process.stderr.write(
      `Something was left open (${left.join(', ') || 'a timer'}); the process ends without it\n`,
    );
    // oxlint-disable-next-line unicorn/no-process-exit -- what was left open would keep the process for ever
    process.exit(exitCode);
  };
  setTimeout(end, PATIENCE_MS).unref();
}
