import process from 'node:process';
import { RoutineEngineError } from '@routine-engine/core/adapter';
import {
  collectGarbage,
  type GarbageOptions,
  type GarbageReport,
  systemClock,
} from '@routine-engine/core/host';
import { EXIT } from '../exit-codes.js';
import { bytesText } from '../output/quantities.js';
import { writeOut } from '../output/write-out.js';
import type { GivenFlags } from '../settings/settings.js';
import { withStore } from './with-store.js';

/** Options of `routine cache rm` and `routine cache gc` beside the settings. */
export interface RemoveOptions {
  readonly json?: boolean;
  readonly routine?: readonly string[];
  readonly dryRun?: boolean;
  readonly maxBytes?: number;
  readonly maxItems?: number;
  readonly maxAge?: number;
}

/** Forgets results by key, and prints the keys of those that were there. @returns the exit code. */
export async function removeResults(
  keys: readonly string[],
  options: RemoveOptions & GivenFlags,
): Promise<number> {
  const { routine } = options;
  if ((keys.length === 0) === (routine === undefined))
    throw new RoutineEngineError('OPTION_INVALID', 'routine cache rm takes keys, or --routine');
  if (routine) return collect({ ...options, maxItems: 0 });
  const missing = await withStore(options, async ({ store }) => {
    const without: string[] = [];
    for (const key of keys) {
      if (options.dryRun ? await store.has(key) : await store.delete(key)) await writeOut(`${key}\n`);
      else without.push(key);
    }
    return without;
  });
  for (const key of missing) process.stderr.write(`There is no result ${key}\n`);
  return missing.length === 0 ? EXIT.ok : EXIT.notFound;
}

/** Deletes results, the oldest first, until bounds hold, and what no result needs. @returns the exit code. */
export async function collect(options: RemoveOptions & GivenFlags): Promise<number> {
  const { json, routine, dryRun, maxBytes, maxItems, maxAge } = options;
  const bounds: GarbageOptions = {
    ...(routine && { routines: routine }),
    ...(dryRun && { dryRun }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(maxItems !== undefined && { maxItems }),
    ...(maxAge !== undefined && { maxAgeMs: maxAge }),
  };
  const report = await withStore(options, ({ store }) => collectGarbage(store, bounds, systemClock));
  await writeOut(json ? `${JSON.stringify(report)}\n` : textOf(report, dryRun === true));
  return EXIT.ok;
}

function textOf({ removed, kept, swept }: GarbageReport, dryRun: boolean): string {
  const amount = ({ results, resultBytes, blobs, blobBytes }: GarbageReport['kept']): string =>
    `${results} results, ${blobs} blobs, ${bytesText(resultBytes + blobBytes)}`;
  return [
    `${dryRun ? 'would remove' : 'removed'}  ${amount(removed)}`,
    `kept  ${amount(kept)}`,
    `left over  ${swept.items} files or objects, ${bytesText(swept.byteLength)}`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}
