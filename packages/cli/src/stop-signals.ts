import process from 'node:process';

export type StopSignal = 'SIGINT' | 'SIGTERM';

const NUMBERS: Readonly<Record<StopSignal, number>> = { SIGINT: 2, SIGTERM: 15 };

/** What shells report for a command that a signal ended. */
export function exitCodeOfSignal(signal: StopSignal): number {
  return 128 + NUMBERS[signal];
}

/**
 * Hears SIGINT and SIGTERM, and, of a parent that has a channel to this process, that it has gone, as long as something is done.
 * The first is told; the second ends the process at once.
 * @param stop - what is to be done at the first.
 * @param act - what is done; it is given the first, once it comes.
 */
export async function hearingStopSignals<T>(
  stop: (signal: StopSignal) => void,
  act: (first: Promise<StopSignal>) => Promise<T>,
): Promise<T> {
  let tell: ((signal: StopSignal) => void) | undefined;
  const first = new Promise<StopSignal>((resolve) => (tell = resolve));
  const hear = (signal: StopSignal): void => {
    if (tell) {
      tell(signal);
      tell = undefined;
      return stop(signal);
    }
    leave();
    // As if nobody had listened: whoever started this process sees what ended it.
    process.kill(process.pid, signal);
  };
  const parentGone = (): void => hear('SIGTERM');
  const leave = (): void => {
    process.off('SIGINT', hear);
    process.off('SIGTERM', hear);
    process.off('disconnect', parentGone);
  };
  process.on('SIGINT', hear);
  process.on('SIGTERM', hear);
  // Only of a parent that keeps a channel open, such as routine dev.
  if (process.connected) process.once('disconnect', parentGone);
  try {
    return await act(first);
  } finally {
    leave();
  }
}
