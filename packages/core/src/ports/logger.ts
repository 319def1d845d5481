import type { LogLevel } from '../events/engine-event.js';

/** Where the engine writes what no caller and no event subscriber hears, such as a peer's malformed bytes. @public */
export interface Logger {
  log(level: LogLevel, message: string, details?: Readonly<Record<string, unknown>>): void;
}
