import { afterEach, describe, expect, it, vi } from 'vitest';
import { uuidIds } from '../../src/lifecycle/platform/uuid-ids.js';

const VERSION_7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const timeOf = (id: string): number => Number.parseInt(id.replace('-', '').slice(0, 12), 16);

describe('ids', () => {
  afterEach(() => void vi.useRealTimers());

  it('are UUIDs of version 7 with the time they were made at', () => {
    const before = Date.now();
    const id = uuidIds.next();
    expect(id).toMatch(VERSION_7);
    expect(timeOf(id)).toBeGreaterThanOrEqual(before);
    expect(timeOf(id)).toBeLessThanOrEqual(Date.now());
  });

  it('are all different and sort by when they were made, also the many of one millisecond', () => {
    vi.useFakeTimers({ now: Date.now() + 1 });
    const ids = Array.from({ length: 50_000 }, () => uuidIds.next());
    expect(ids.every((id) => VERSION_7.test(id))).toBe(true);
    expect(new Set(ids.map(timeOf)).size).toBe(1);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(ids.map((id) => id.slice(-12))).size).toBe(ids.length);
  });

  it('go on in order when the clock is set back', () => {
    vi.useFakeTimers({ now: Date.now() + 60_000 });
    const before = uuidIds.next();
    vi.setSystemTime(Date.now() - 3_600_000);
    const after = uuidIds.next();
    expect(after > before).toBe(true);
    expect(timeOf(after)).toBe(timeOf(before));
  });
});
