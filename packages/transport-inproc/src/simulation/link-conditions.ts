import type { DirectiveHeader } from '@routine-engine/core/adapter';
import type { SeededRandom } from './seeded-random.js';
import type { SimulatedProcess } from './simulated-process.js';
import type { Wire } from './wire.js';

/** What a link does to what goes over it, one way. Rates are probabilities, 0 to 1. @public */
export interface LinkConditions {
  /** Milliseconds that everything takes. Default 1. */
  readonly delayMs: number;
  /** Up to so many milliseconds more, drawn for each envelope; the order stays. Default 0. */
  readonly jitterMs: number;
  /** Bytes that go through in a second. Default: no limit. */
  readonly bytesPerSecond: number;
  /** How often an envelope is lost though its connection stays open, which real ones never do. Default 0. */
  readonly lossRate: number;
  /** How often an envelope arrives twice. Default 0. */
  readonly duplicationRate: number;
  /** How often an envelope is overtaken by later ones. Default 0. */
  readonly reorderingRate: number;
}

/** A directive that is sent. @public */
export interface SentDirective {
  /** Name of the process that sends it. */
  readonly from: string;
  /** Name of the process that it goes to. */
  readonly to: string;
  readonly header: DirectiveHeader;
}

/** What becomes of one directive: it is lost though its connection stays open, or it arrives twice. @public */
export type DirectiveFate = 'lost' | 'doubled';

/** A link without faults. */
export const GOOD_LINK: LinkConditions = {
  delayMs: 1,
  jitterMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  lossRate: 0,
  duplicationRate: 0,
  reorderingRate: 0,
};

/** What was done to a network, and how often. @public */
export interface NetworkFaults {
  lost: number;
  duplicated: number;
  reordered: number;
  /** Links that were blocked, each way counted. */
  partitions: number;
  /** Connections that both ends were told are gone. */
  cuts: number;
  /** Connections that carry nothing any more, of which nobody was told. */
  halfOpen: number;
}

export function noFaults(): NetworkFaults {
  return { lost: 0, duplicated: 0, reordered: 0, partitions: 0, cuts: 0, halfOpen: 0 };
}

/** What wires ask of the network that they belong to. */
export interface Links {
  readonly random: SeededRandom;
  readonly faults: NetworkFaults;
  /** Wires that hold something back until their link is free again. */
  readonly holding: Set<Wire>;
  elapsed(): number;
  conditions(from: SimulatedProcess, to: SimulatedProcess): LinkConditions;
  isBlocked(from: SimulatedProcess, to: SimulatedProcess): boolean;
  fateOf(from: SimulatedProcess, to: SimulatedProcess, header: DirectiveHeader): DirectiveFate | undefined;
  handled(from: SimulatedProcess, to: SimulatedProcess, header: DirectiveHeader): void;
  note(text: string): void;
}
