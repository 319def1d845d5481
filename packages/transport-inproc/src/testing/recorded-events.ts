import { Observable } from 'rxjs';
import type { EngineEvent } from '@routine-engine/core';
import { RoutineEngineError, type Clock, type Timer } from '@routine-engine/core/adapter';

/**
 * One event as a line of JSON, with the line break: what {@link readEvents} reads.
 * @public
 */
export function eventLine(event: EngineEvent): string {
  return `${JSON.stringify(event)}\n`;
}

/**
 * Reads recorded events: a line of JSON each, as {@link eventLine} writes them. Empty lines are passed over, and so is a last line
 * that was cut off, as a process that was killed may leave behind.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED` that names the line.
 * @public
 */
export function readEvents(text: string): EngineEvent[] {
  const lines = text.split('\n');
  const last = lines.at(-1) ?? '';
  if (!isJson(last)) lines.pop();
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [eventOf(line, index + 1)]));
}

/**
 * Tells recorded events again, to each subscriber from the start, and completes.
 * @param options - `clock`: they come at the times between them, such as those of a `SimulatedClock`. Default: all at once.
 * @public
 */
export function replayEvents(
  events: readonly EngineEvent[],
  { clock }: { readonly clock?: Pick<Clock, 'after'> } = {},
): Observable<EngineEvent> {
  return new Observable((listener) => {
    let timer: Timer | undefined;
    const tellFrom = (index: number): void => {
      for (let at = index; at < events.length && !listener.closed; at += 1) {
        const event = events[at] as EngineEvent;
        const waitMs = at === index ? 0 : event.at - (events[at - 1] as EngineEvent).at;
        // Clocks of several nodes differ: an event may seem to be older than the one before.
        if (clock && waitMs > 0) {
          timer = clock.after(waitMs, () => tellFrom(at));
          return;
        }
        listener.next(event);
      }
      listener.complete();
    };
    tellFrom(0);
    return () => timer?.cancel();
  });
}

function eventOf(line: string, number: number): EngineEvent {
  const event = parsed(line, number);
  if (typeof event !== 'object' || event === null) throw malformed(number, 'is no event');
  const { type, at, node } = event as Partial<EngineEvent>;
  const isEvent = typeof type === 'string' && typeof node === 'string' && Number.isFinite(at);
  if (!isEvent) throw malformed(number, 'is no event: one has a type, a node and a time');
  return event as EngineEvent;
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

function parsed(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw malformed(number, `is no JSON: ${(error as Error).message}`, error);
  }
}

function malformed(line: number, what: string, cause?: unknown): RoutineEngineError {
  const message = `Line ${line} of the recorded events ${what}`;
  return new RoutineEngineError('BYTES_MALFORMED', message, cause === undefined ? {} : { cause });
}
