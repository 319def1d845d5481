import { describe, expect, it } from 'vitest';
import { EventFeed } from '../../src/events/event-feed.js';
import { StateFeed } from '../../src/events/state-feed.js';

describe('a state that can be watched', () => {
  it('gives the current state first, then each change, and completes', () => {
    const feed = new StateFeed('a');
    const seen: string[] = [];
    feed.set('b');
    feed.state$.subscribe({ next: (state) => seen.push(state), complete: () => seen.push('over') });
    feed.set('b');
    feed.set('c');
    feed.complete();
    feed.set('d');
    expect(seen).toEqual(['b', 'c', 'over']);
  });

  it('gives the last state to who comes when it is complete', () => {
    const feed = new StateFeed('a');
    feed.set('b');
    feed.complete();
    const seen: string[] = [];
    feed.state$.subscribe({ next: (state) => seen.push(state), complete: () => seen.push('over') });
    expect(seen).toEqual(['b', 'over']);
  });

  it('tells everybody the changes in order, also those that a listener makes', () => {
    const feed = new StateFeed('a');
    const seen: string[] = [];
    feed.state$.subscribe((state) => {
      if (state !== 'b') return;
      feed.set('c');
      feed.complete();
    });
    feed.state$.subscribe({ next: (state) => seen.push(state), complete: () => seen.push('over') });
    feed.set('b');
    expect(seen).toEqual(['a', 'b', 'c', 'over']);
    expect(feed.state).toBe('c');
  });

  it('tells a listener that comes between two changes both of them, once', () => {
    const feed = new StateFeed('a');
    const seen: string[] = [];
    feed.state$.subscribe((state) => {
      if (state !== 'b') return;
      feed.set('c');
      feed.state$.subscribe((late) => seen.push(late));
    });
    feed.set('b');
    expect(seen).toEqual(['b', 'c']);
  });
});

describe('a feed of events', () => {
  it('tells what was emitted before it completes, also when a listener does both', () => {
    const feed = new EventFeed<number>();
    const seen: unknown[] = [];
    feed.events$.subscribe((event) => {
      if (event !== 1) return;
      feed.emit(2);
      feed.complete();
    });
    feed.events$.subscribe({ next: (event) => seen.push(event), complete: () => seen.push('over') });
    feed.emit(1);
    expect(seen).toEqual([1, 2, 'over']);
  });
});
