import { createHash } from 'node:crypto';

/** Of a UUIDv7: the time that it was made. */
const TIME = /^[0-9a-f]{8}-[0-9a-f]{4}(?=-7)/;

/**
 * The id of a run that follows from another and from what starts it: the same two give the same id. A UUIDv7 that sorts by the
 * time of the other run, if that has one.
 */
export function derivedRunId(runId: string, startedBy: string): string {
  const hash = createHash('sha256').update(`${runId}\n${startedBy}`).digest('hex');
  const time = TIME.exec(runId)?.[0] ?? `${hash.slice(40, 48)}-${hash.slice(48, 52)}`;
  // The two bits of the variant are 1 and 0.
  const variant = ((Number.parseInt(hash.slice(3, 4), 16) & 0b0011) | 0b1000).toString(16);
  return `${time}-7${hash.slice(0, 3)}-${variant}${hash.slice(4, 7)}-${hash.slice(7, 19)}`;
}
