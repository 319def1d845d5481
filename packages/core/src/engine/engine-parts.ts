import type { Contents } from '../cache/contents.js';
import type { ResultCache } from '../cache/result-cache.js';
import type { EngineEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Ids } from '../ports/ids.js';
import type { Logger } from '../ports/logger.js';
import type { Random } from '../ports/random.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';
import type { NodeIdentity } from '../ports/tokens.js';

/** What every engine is made of. */
export interface EngineParts {
  readonly identity: NodeIdentity;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly random: Random;
  readonly logger: Logger;
  readonly catalog: RoutineCatalog;
  readonly feed: EventFeed<EngineEvent>;
  readonly contents: Contents;
  /** Absent: nothing is remembered. */
  readonly cache: ResultCache | undefined;
}
