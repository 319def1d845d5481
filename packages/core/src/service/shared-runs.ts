import { labelsText } from '../model/labels.js';
import { isDevelopmentVersion, parseRoutineId } from '../model/routine-id.js';
import type { RequestStart, RunCompletes } from '../protocol/directives.js';
import { dropBody } from '../model/body.js';
import { isStreaming } from '../protocol/watched-body.js';
import type { RunRecord } from './run-record.js';

const NONE: readonly RunRecord[] = [];

/**
 * Equal calls of several nodes that are under way at once: the first leads and is placed, the others follow and get what comes
 * of it. Which calls are equal is known by the digest of their arguments.
 */
export class SharedRuns {
  readonly #leaders = new Map<string, RunRecord>();

  /**
   * Takes a run in.
   * @returns whether it follows an equal one, and need not be placed.
   */
  join(record: RunRecord): boolean {
    const key = (record.sharedAs ??= keyOf(record.request));
    if (key === undefined) return false;
    const leader = this.#leaders.get(key);
    if (!leader || leader.cancelled) {
      this.#leaders.set(key, record);
      return false;
    }
    this.follow(record, leader);
    return true;
  }

  /** Has one run get what comes of another. */
  follow(record: RunRecord, leader: RunRecord): void {
    record.leader = leader;
    record.isTakenIn = true;
    (leader.followers ??= new Set()).add(record);
  }

  /**
   * A run that leads is wanted no more: one that follows leads in its place.
   * @returns that one, which can read whatever the other could; `undefined` when there is none.
   */
  succeed(record: RunRecord): RunRecord | undefined {
    const { sharedAs, request } = record;
    const followers = [...(record.followers ?? [])];
    const heir = followers.find((follower) => follower.request.store === request.store);
    if (!heir) return undefined;
    if (sharedAs !== undefined && this.#leaders.get(sharedAs) === record) this.#leaders.set(sharedAs, heir);
    record.followers = undefined;
    heir.leader = undefined;
    for (const follower of followers) if (follower !== heir) this.follow(follower, heir);
    return heir;
  }

  /** A run that follows is wanted no more. */
  leave(record: RunRecord): void {
    const { leader } = record;
    if (!leader) return;
    leader.followers?.delete(record);
    record.leader = undefined;
  }

  /** A run is over, or will be: who joins from now on has a run of its own. @returns those that followed it. */
  end(record: RunRecord): readonly RunRecord[] {
    const { sharedAs } = record;
    if (sharedAs !== undefined && this.#leaders.get(sharedAs) === record) this.#leaders.delete(sharedAs);
    if (!record.followers) return NONE;
    const followers = [...record.followers];
    record.followers = undefined;
    for (const follower of followers) follower.leader = undefined;
    return followers;
  }
}

/** Whether the requester of an equal call has the store that parts of a result lie in. */
export function canRead({ request }: RunRecord, { blobs, store }: RunCompletes): boolean {
  return !blobs || request.store === store;
}

/** What follows may never need its arguments: a body that streams is not held for it, but asked for again. */
export function dropStreaming(record: RunRecord): void {
  if (!record.body || !isStreaming(record.body)) return;
  dropBody(record.body);
  record.body = undefined;
}

/**
 * What equal calls have in common. A call is for itself when its result is not remembered, is to be computed anew, or may be
 * of another source on each worker; and when it waits for a worker only so long. Where a run may take place is respected.
 */
function keyOf({
  routineId,
  argumentsDigest,
  answer,
  remember,
  queueTimeoutMs,
  attemptTimeoutMs,
  labels,
}: RequestStart): string | undefined {
  if (argumentsDigest === undefined || remember?.refresh || queueTimeoutMs !== undefined) return undefined;
  const id = parseRoutineId(routineId);
  if (id.form !== 'name' || isDevelopmentVersion(id.version)) return undefined;
  const wanted = [answer === 'reference' ? answer : 'value', attemptTimeoutMs ?? '', labelsText(labels)];
  return [routineId, argumentsDigest, ...wanted].join('\n');
}
