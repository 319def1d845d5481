import process from 'node:process';
import { expectEqual, inFlight } from '../measure.js';
import { checkArray } from '../large/pattern.js';

/** What a client is asked to do, or to tell. */
export type ClientQuestion =
  /** Calls, so many at a time. */
  | { readonly kind: 'calls'; readonly times: number; readonly width: number }
  /** One workflow that calls so often at once. */
  | { readonly kind: 'fan-out'; readonly times: number }
  /** One result of so many bytes, which the worker keeps, or gives away with its memory. */
  | {
      readonly kind: 'large';
      readonly byteLength: number;
      readonly seed: number;
      readonly isMoved?: boolean;
    }
  | UsageQuestion;

/** Microseconds of processor time that a process has taken since its start, all its threads together. */
export interface UsageQuestion {
  readonly kind: 'usage';
}

export interface Usage {
  readonly processorMicroseconds: number;
}

/** What one piece of work took, in microseconds. */
export interface ClientReport {
  readonly microseconds: number;
  /** Of calls, half of which and 99 % of which took no longer. */
  readonly p50?: number;
  readonly p99?: number;
}

/** How a client does it. */
export interface Duties {
  call(n: number): Promise<number>;
  /** @returns the sum of the answers. */
  fanOut(times: number): Promise<number>;
  /** @param seed - the first number of the array. */
  large(byteLength: number, seed: number, isMoved: boolean): Promise<Float32Array>;
}

export function usageOfProcess(): Usage {
  const { user, system } = process.cpuUsage();
  return { processorMicroseconds: user + system };
}

/** Does what a client is asked to, and checks its answers. */
export async function perform(question: ClientQuestion, duties: Duties): Promise<ClientReport | Usage> {
  if (question.kind === 'usage') return usageOfProcess();
  const startedAt = performance.now();
  const microseconds = (): number => (performance.now() - startedAt) * 1_000;
  if (question.kind === 'fan-out') {
    const { times } = question;
    expectEqual(await duties.fanOut(times), (times * (times - 1)) / 2);
    return { microseconds: microseconds() };
  }
  if (question.kind === 'large') {
    const { byteLength, seed, isMoved = false } = question;
    checkArray(await duties.large(byteLength, seed, isMoved), byteLength, seed);
    return { microseconds: microseconds() };
  }
  const { times, width } = question;
  const taken = new Float64Array(times);
  await inFlight(times, width, async (n) => {
    const askedAt = performance.now();
    expectEqual(await duties.call(n), n);
    taken[n - 1] = (performance.now() - askedAt) * 1_000;
  });
  const total = microseconds();
  taken.sort();
  const at = (share: number): number => taken[Math.ceil(times * share) - 1] ?? Number.NaN;
  return { microseconds: total, p50: at(0.5), p99: at(0.99) };
}
