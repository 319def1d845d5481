import type { Contents } from '../cache/contents.js';
import { differences, outlineOf } from '../cache/outline.js';
import type { Answer } from '../cache/result-cache.js';
import { makeRef } from '../context/ref.js';
import type { EngineEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Ids } from '../ports/ids.js';
import type { Logger } from '../ports/logger.js';
import type { Random } from '../ports/random.js';

export interface PurityCheckParts {
  readonly codec: Codec;
  readonly contents: Contents;
  readonly random: Random;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly feed: EventFeed<EngineEvent>;
  readonly node: string;
}

/** Computes some of the hits again and compares, since only a pure task may be remembered. */
export class PurityCheck {
  readonly #parts: PurityCheckParts;

  constructor(parts: PurityCheckParts) {
    this.#parts = parts;
  }

  /**
   * Decides by chance whether a hit is computed again, and does so beside everything else.
   * @param request - has a call answered by a run of its own.
   */
  check(call: EncodedCall, kept: Answer, request: (call: EncodedCall) => Promise<Answer>): void {
    const { random, logger } = this.#parts;
    const rate = call.remember?.verifyRate ?? 0;
    if (rate === 0 || random.next() >= rate) return;
    this.#compare(call, kept, request).catch((error: unknown) =>
      logger.log('warn', `A kept result of ${call.routineId} could not be compared with a new one`, {
        error,
      }),
    );
  }

  async #compare(
    call: EncodedCall,
    { outcome: kept }: Answer,
    request: (call: EncodedCall) => Promise<Answer>,
  ): Promise<void> {
    const { ids, contents } = this.#parts;
    const again = {
      ...call,
      runId: ids.next(),
      answer: undefined,
      argumentsDigest: undefined,
      remember: undefined,
    };
    const { outcome } = await request(again);
    // One that failed or was cancelled tells so by its own events.
    if (outcome.status !== 'DONE' || !outcome.value || kept.status !== 'DONE') return;
    const value = kept.value ?? (kept.reference && (await contents.resolve(kept.reference)));
    if (!value) return;
    const [one, other] = await Promise.all([this.#outlineOf(value), this.#outlineOf(outcome.value)]);
    const paths = differences(one, other);
    if (paths.length > 0) this.#tell(call, paths);
  }

  async #outlineOf(value: Encoded): Promise<readonly string[]> {
    const { codec, contents } = this.#parts;
    const loaded = await contents.load(value);
    return outlineOf(codec.decode(loaded, { reference: makeRef }), 'result', codec);
  }

  #tell({ routineId, runId }: EncodedCall, paths: readonly string[]): void {
    const { feed, clock, node } = this.#parts;
    if (feed.observed) feed.emit({ type: 'run.impure', at: clock.now(), node, routineId, runId, paths });
  }
}
