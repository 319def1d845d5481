import process from 'node:process';

export type StopSignal = 'SIGINT' | 'SIGTERM';

const NUMBERS: Readonly<Record<StopSignal, number>> = { SIGINT: 2, SIGTERM: 15 };

/** What shells report for a command that a signal ended. */
export function exitCodeOfSignal(signal: StopSignal): number {
  return 128 + NUMBERS[signal];
}

/** Hears SIGINT and SIGTERM. */
export interface StopSignals {
  /** The first that came. */
  readonly first: Promise<StopSignal>;
  /** Hears no more. */
  leave(): void;
}

/**
 * Hears SIGINT and SIGTERM. The first is told; the second ends the process at once.
 * @param stop - what is to be done at the first.
 */
export function hearStopSignals(stop: (signal: StopSignal) => void): StopSignals {
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
  const leave = (): void => {
    process.off('SIGINT', hear);
    process.off('SIGTERM', hear);
  };
  process.on('SIGINT', hear);
  process.on('SIGTERM', hear);
  return { first, leave };
}
