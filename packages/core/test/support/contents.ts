import { Contents } from '../../src/cache/contents.js';
import type { EngineEvent } from '../../src/events/engine-event.js';
import { EventFeed } from '../../src/events/event-feed.js';
import { systemClock as clock } from '../../src/lifecycle/platform/system-clock.js';
import { TempSpool } from '../../src/lifecycle/platform/temp-spool.js';
import type { ResultStore } from '../../src/ports/result-store.js';

/** The contents of a node that has this store. Its spool opens nothing until it is needed. */
export function contentsOver(store: ResultStore, feed = new EventFeed<EngineEvent>()): Contents {
  return new Contents({ store, spool: new TempSpool({}), clock, feed, node: 'test' });
}
