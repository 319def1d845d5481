import { formatRoutineId, parseRoutineId, type NamedRoutineId } from '../model/routine-id.js';
import type { Explanation, ResultDifference } from '../model/explanation.js';
import type { ResultKey, ResultMetadata } from '../model/result.js';
import type { ResultEntry, ResultStore } from '../ports/result-store.js';
import { differences, likeness } from './outline.js';

/** What a call asks for, as far as its result is looked up by it. */
export interface Wanted {
  readonly key: ResultKey;
  /** Full routine id. */
  readonly routineId: string;
  readonly sourceHash: string | undefined;
  readonly codec: string;
  readonly outline: readonly string[];
  readonly maxAgeMs: number | undefined;
}

/**
 * Says whether a call would be answered from the store, and if not, what the nearest stored result has different.
 * @throws what the store throws.
 */
export async function explainResult(store: ResultStore, wanted: Wanted, now: number): Promise<Explanation> {
  const { key } = wanted;
  let nearest:
    | { readonly entry: ResultEntry; readonly found: readonly ResultDifference[]; readonly like: number }
    | undefined;
  for await (const entry of store.list()) {
    if (!isOfRoutine(entry.metadata.routineId, wanted.routineId)) continue;
    const found = differencesOf(entry.metadata, wanted, now);
    if (entry.key === key && found.every(({ what }) => what !== 'age'))
      return { status: 'hit', key, metadata: entry.metadata };
    const like = likeness(entry.metadata.outline ?? [], wanted.outline);
    const isNearer =
      !nearest ||
      found.length < nearest.found.length ||
      (found.length === nearest.found.length &&
        (like > nearest.like ||
          (like === nearest.like && entry.metadata.createdAt > nearest.entry.metadata.createdAt)));
    if (isNearer) nearest = { entry, found, like };
  }
  if (!nearest)
    return {
      status: 'miss',
      key,
      why: `${store.identity} has no result of ${withoutVersion(wanted.routineId)}`,
    };
  const { entry, found } = nearest;
  return {
    status: 'miss',
    key,
    why: `the nearest result differs in ${found.map(sentenceOf).join(', ') || 'nothing that was recorded'}`,
    nearest: { key: entry.key, metadata: entry.metadata, differences: found },
  };
}

function differencesOf(stored: ResultMetadata, wanted: Wanted, now: number): readonly ResultDifference[] {
  const found: ResultDifference[] = [];
  const [storedVersion, version] = [versionOf(stored.routineId), versionOf(wanted.routineId)];
  if (storedVersion !== version) found.push({ what: 'version', stored: storedVersion, called: version });
  else if (version.endsWith('-dev') && stored.sourceHash !== wanted.sourceHash)
    found.push({ what: 'source' });
  if (stored.codec !== wanted.codec)
    found.push({ what: 'codec', stored: stored.codec, called: wanted.codec });
  const ageMs = now - stored.createdAt;
  if (wanted.maxAgeMs !== undefined && ageMs > wanted.maxAgeMs)
    found.push({ what: 'age', ageMs, ttlMs: wanted.maxAgeMs });
  const paths = stored.outline ? differences(stored.outline, wanted.outline) : ['args'];
  found.push(...paths.map((path) => ({ what: 'argument', path }) as const));
  return found;
}

function sentenceOf(difference: ResultDifference): string {
  switch (difference.what) {
    case 'argument':
      return difference.path;
    case 'version':
    case 'codec':
      return `its ${difference.what} (${difference.stored} in place of ${difference.called})`;
    case 'source':
      return 'the source of the routine';
    default:
      return `its age (${difference.ageMs} ms, and ${difference.ttlMs} ms are allowed)`;
  }
}

function isOfRoutine(stored: string, called: string): boolean {
  return withoutVersion(stored) === withoutVersion(called);
}

function withoutVersion(routineId: string): string {
  const { version: _, ...rest } = parseRoutineId(routineId) as NamedRoutineId;
  return formatRoutineId(rest);
}

function versionOf(routineId: string): string {
  return (parseRoutineId(routineId) as NamedRoutineId).version ?? '';
}
