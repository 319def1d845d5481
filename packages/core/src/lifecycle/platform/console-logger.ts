import type { LogLevel } from '../../events/engine-event.js';
import type { Logger } from '../../ports/logger.js';

const SEVERITY: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Writes warnings and errors to standard error, so that standard output stays the program's own. */
export function consoleLogger(least: LogLevel = 'warn'): Logger {
  return {
    log(level, message, details) {
      if (SEVERITY[level] < SEVERITY[least]) return;
      console.error(`[routine-engine] ${level}: ${message}`, ...(details ? [details] : []));
    },
  };
}
