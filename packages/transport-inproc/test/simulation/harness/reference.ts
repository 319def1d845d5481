import type { Lifecycle } from '@routine-engine/core';
import { SeededIds, SeededRandom, SimulatedClock } from '@routine-engine/transport-inproc/simulation';
import { open } from './nodes.ts';
import { at, type Place } from './place.ts';
import { make } from './routines.ts';
import type { TreeOutcome } from './tree-value.ts';
import type { Call } from './tree.ts';

/** Runs trees in the calling thread, as the local engine does: what it gives is right. */
export class Reference {
  readonly #clock: SimulatedClock;
  readonly #lifecycle: Lifecycle;

  private constructor(clock: SimulatedClock, lifecycle: Lifecycle) {
    this.#clock = clock;
    this.#lifecycle = lifecycle;
  }

  static async open(): Promise<Reference> {
    const clock = new SimulatedClock();
    const process = clock.process('reference');
    const random = new SeededRandom('reference');
    const ids = new SeededIds(process, random);
    const logger = { log: () => undefined };
    const lifecycle = await open({ process, random, ids, logger, store: undefined });
    return new Reference(clock, lifecycle);
  }

  async outcomeOf(call: Call): Promise<TreeOutcome> {
    const nothing = (): undefined => undefined;
    const place: Place = {
      ...{
        process: this.#clock.process('reference'),
        isPatient: false,
        bodyBegins: nothing,
        bodyEnds: nothing,
      },
      ...{ handles: nothing, saw: nothing },
      violate: (what) => {
        throw new Error(`On the local engine: ${what}`);
      },
      cancelById: async (runId) => void (await this.#lifecycle.runs.cancel(runId)),
    };
    let outcome: TreeOutcome | undefined;
    void outcomeOf(at(place, () => this.#lifecycle.run(() => make(call)))).then((found) => (outcome = found));
    await this.#clock.run({ until: () => outcome !== undefined });
    if (!outcome) throw new Error('The local engine never answered');
    return outcome;
  }

  close(): Promise<void> {
    return this.#lifecycle.shutdown();
  }
}

/** What came of a call. Never rejects. */
export function outcomeOf(called: Promise<number>): Promise<TreeOutcome> {
  return called.then(
    (value) => ({ status: 'DONE', value }),
    (error: Error & { code?: string }) => ({ status: 'FAILED', code: error.code ?? error.message }),
  );
}
