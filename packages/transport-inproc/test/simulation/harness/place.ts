import { AsyncLocalStorage } from 'node:async_hooks';
import { currentRun } from '@routine-engine/core';
import type { SimulatedProcess } from '@routine-engine/transport-inproc/simulation';
import type { Feature } from './journal.ts';
import type { Flow, Leaf } from './tree.ts';

/** Where a body runs, and who hears of it. */
export interface Place {
  readonly process: SimulatedProcess;
  /** The queue of the service is short: every call tries again when that is full. */
  readonly isPatient: boolean;
  bodyBegins(runId: string, node: Leaf | Flow): void;
  bodyEnds(runId: string, wasCancelled: boolean): void;
  /** The handler of a trigger begins to answer a run. */
  handles(triggeredBy: string, runId: string): void;
  saw(feature: Feature): void;
  violate(what: string): void;
  /** Cancels a run by its id, by way of some other node. */
  cancelById(runId: string): Promise<void>;
}

/** What times may be short of by the way they are added up, in milliseconds. */
export const ROUNDING_MS = 0.001;

const places = new AsyncLocalStorage<Place>();

/** Has the bodies that a function starts run at that place. */
export function at<T>(place: Place, callback: () => T): T {
  return places.run(place, callback);
}

export function here(): Place {
  const place = places.getStore();
  if (!place) throw new Error('A body of a tree runs at no place');
  return place;
}

/** @param isDeaf - whether being cancelled does not end it. */
export function pause(milliseconds: number, isDeaf = false): Promise<void> {
  const { signal } = currentRun();
  return new Promise((resolve, reject) => {
    const timer = here().process.after(milliseconds, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    const abort = (): void => {
      timer.cancel();
      reject(signal.reason as Error);
    };
    if (!isDeaf) signal.addEventListener('abort', abort, { once: true });
  });
}

export function untilCancelled(): Promise<never> {
  const { signal } = currentRun();
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
