import { AssertionError } from 'node:assert';
import type { StatusTimeline } from './timeline.js';

/** In a list of expected statuses: any number of any others, or none. @public */
export const ANY_STATUSES = '...';

/**
 * Asserts that something went through these statuses and no others, in this order; `'...'` among them stands for any.
 * @throws AssertionError that says what it went through.
 * @public
 */
export function expectStatuses<Status extends string>(
  timeline: StatusTimeline<Status>,
  expected: readonly (Status | typeof ANY_STATUSES)[],
): void {
  if (fits(timeline.statuses, expected)) return;
  throw new AssertionError({ message: differs(timeline, expected), actual: timeline.statuses, expected });
}

/**
 * {@link expectStatuses} as matchers for `expect.extend`, as vitest and jest have it:
 * `expect(cluster.timeline().run('train')).toHaveStatuses(['PENDING', '...', 'DONE'])`.
 * @public
 */
export const statusMatchers = {
  toHaveStatuses(
    received: unknown,
    expected: readonly string[],
  ): { readonly pass: boolean; readonly message: () => string } {
    if (!isTimeline(received))
      return { pass: false, message: () => 'toHaveStatuses() is for a run or worker of a timeline' };
    const pass = fits(received.statuses, expected);
    const message = (): string =>
      pass ? `${received.name} went through ${shown(expected)}` : differs(received, expected);
    return { pass, message };
  },
};

function differs({ name, statuses }: StatusTimeline, expected: readonly string[]): string {
  return `${name} went through ${shown(statuses)}, not through ${shown(expected)}`;
}

function shown(statuses: readonly string[]): string {
  return statuses.length > 0 ? statuses.join(' > ') : 'no status';
}

/** Tries each place that an ellipsis could end at, from the first expected status on. */
function fits(statuses: readonly string[], expected: readonly string[]): boolean {
  // Where the statuses up to here may have got to.
  let places = new Set([0]);
  for (const wanted of expected) {
    const next = new Set<number>();
    for (const place of places) {
      if (wanted !== ANY_STATUSES && statuses[place] === wanted) next.add(place + 1);
      if (wanted === ANY_STATUSES) for (let at = place; at <= statuses.length; at += 1) next.add(at);
    }
    places = next;
  }
  return places.has(statuses.length);
}

function isTimeline(value: unknown): value is StatusTimeline {
  return Array.isArray((value as Partial<StatusTimeline> | undefined)?.statuses);
}
