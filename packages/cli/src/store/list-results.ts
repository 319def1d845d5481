import { matchesRoutineId, parseRoutineId } from '@routine-engine/core';
import type { ResultEntry } from '@routine-engine/core/adapter';
import { EXIT } from '../exit-codes.js';
import { bytesText } from '../output/quantities.js';
import { type Column, textTable } from '../output/text-table.js';
import { writeOut } from '../output/write-out.js';
import type { GivenFlags } from '../settings/settings.js';
import { withStore } from './with-store.js';

/** A stored result, as `routine cache ls --json` gives it. */
interface ListedResult {
  readonly key: string;
  readonly routineId: string;
  /** Milliseconds since 1970 (UTC). */
  readonly createdAt: number;
  readonly durationMs: number;
  /** Its blobs included. */
  readonly byteLength: number;
  readonly pinned: boolean;
  readonly runId: string;
  readonly worker?: string;
}

/** Options of `routine cache ls` beside the settings. */
export interface ListResultsOptions {
  readonly json?: boolean;
  readonly routine?: string;
  readonly limit?: number;
}

const DEFAULT_LIMIT = 100;

const COLUMNS: readonly Column<ListedResult>[] = [
  { head: 'KEY', of: ({ key }) => key },
  { head: 'ROUTINE', of: ({ routineId }) => routineId },
  { head: 'COMPUTED', of: ({ createdAt }) => new Date(createdAt).toISOString() },
  { head: 'TOOK MS', of: ({ durationMs }) => Math.round(durationMs) },
  { head: 'SIZE', of: ({ byteLength }) => bytesText(byteLength) },
  { head: 'PINNED', of: ({ pinned }) => (pinned ? 'pinned' : '') },
];

/** Lists stored results, the newest first. @returns the exit code. */
export async function listResults(options: ListResultsOptions & GivenFlags): Promise<number> {
  const { json, routine, limit = DEFAULT_LIMIT } = options;
  const fits = routine === undefined ? () => true : fitting(routine);
  const results = await withStore(options, async ({ store }) => newest(store.list(), fits, limit));
  await writeOut(json ? `${JSON.stringify(results)}\n` : textTable(results, COLUMNS));
  return EXIT.ok;
}

/** The newest that fit; no more than a few times as many are held at once. */
async function newest(
  entries: AsyncIterable<ResultEntry>,
  fits: (routineId: string) => boolean,
  limit: number,
): Promise<readonly ListedResult[]> {
  let held: ListedResult[] = [];
  const cut = (): void => {
    held = held.toSorted((a, b) => b.createdAt - a.createdAt).slice(0, limit);
  };
  for await (const entry of entries) {
    if (!fits(entry.metadata.routineId)) continue;
    held.push(listed(entry));
    if (held.length > 2 * limit + DEFAULT_LIMIT) cut();
  }
  cut();
  return held;
}

function listed({ key, metadata, byteLength, pinned }: ResultEntry): ListedResult {
  const { routineId, createdAt, durationMs, runId, worker, blobs = [] } = metadata;
  const size = blobs.reduce((sum, blob) => sum + blob.byteLength, byteLength);
  return {
    key,
    routineId,
    createdAt,
    durationMs,
    byteLength: size,
    pinned,
    runId,
    ...(worker !== undefined && { worker }),
  };
}

function fitting(pattern: string): (routineId: string) => boolean {
  const parsed = parseRoutineId(pattern);
  return (routineId) => {
    try {
      return matchesRoutineId(parsed, parseRoutineId(routineId));
    } catch {
      // Others may have kept anything under any name.
      return false;
    }
  };
}
