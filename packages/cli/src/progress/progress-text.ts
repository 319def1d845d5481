import type { EngineEvent } from '@routine-engine/core';
import { printable } from '../output/printable.js';
import type { RoutineCounts } from './run-counts.js';

const MOST_ROWS = 20;
const SECOND_MS = 1_000;

/** A line for each routine, and the time that has passed; of many routines the first. */
export function progressText(routines: readonly RoutineCounts[], elapsedMs: number): string {
  const shown = routines.slice(0, MOST_ROWS);
  const width = Math.max(0, ...shown.map(({ routineId }) => routineId.length));
  const lines = shown.map((row) => `${row.routineId.padEnd(width)}  ${countsText(row)}`);
  const more = routines.length - shown.length;
  if (more > 0) lines.push(`and ${more} more routines`);
  lines.push(`${(elapsedMs / SECOND_MS).toFixed(1)} s`);
  return printable(lines.join('\n'));
}

function countsText({ states, underway }: RoutineCounts): string {
  const parts = Object.entries(states)
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`);
  if (underway > 0) parts.push(`${Math.round(underway * 100)} % of one`);
  return parts.join(', ');
}

/** What people should read about an event, if anything: what was logged, and what keeps a run from going on. */
export function noteOf(event: EngineEvent): string | undefined {
  const text = rawNoteOf(event);
  return text === undefined ? undefined : printable(text);
}

function rawNoteOf(event: EngineEvent): string | undefined {
  switch (event.type) {
    case 'run.log':
      return `${event.routineId} ${event.level}: ${event.message}`;
    case 'run.waiting':
      return `${event.routineId} waits: ${event.detail}`;
    case 'run.retrying':
      return `${event.routineId} is run again (attempt ${event.attempt}): ${event.error.message}`;
    case 'transport.lost':
      return `lost ${event.address}, and looks for it again`;
    case 'transport.resynced':
      return `is back at ${event.address}`;
    default:
      return undefined;
  }
}
