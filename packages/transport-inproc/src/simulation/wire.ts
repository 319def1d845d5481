import type { DirectiveFate, Links } from './link-conditions.js';
import type { SimulatedProcess } from './simulated-process.js';

/** By how much an envelope is late that others overtake, in milliseconds. */
const LEAST_OVERTAKEN_MS = 1;
const MOST_OVERTAKEN_MS = 50;

/** What is done when something arrives, or is lost. */
export interface Cargo {
  readonly bytes: number;
  readonly arrive: () => void;
  /** Given to it, whatever chance says. */
  readonly fate?: DirectiveFate | undefined;
  /** Present for what may be lost: hears that it was. */
  readonly lost?: () => void;
  /** Present for what may arrive twice. */
  readonly arriveAgain?: () => void;
}

/** One way of one connection: carries things in order, as late as its link makes them. */
export class Wire {
  readonly #links: Links;
  readonly #from: SimulatedProcess;
  readonly #to: SimulatedProcess;
  /** Arrived where the link was blocked, or behind such; in order. */
  readonly #held: (() => void)[] = [];
  #busyUntil = 0;
  #lastAt = 0;
  #isDead = false;

  constructor(links: Links, from: SimulatedProcess, to: SimulatedProcess) {
    this.#links = links;
    this.#from = from;
    this.#to = to;
  }

  /** Carries nothing from now on, nor what is under way. */
  die(): void {
    this.#isDead = true;
    this.#held.length = 0;
    this.#links.holding.delete(this);
  }

  carry({ bytes, arrive, fate, lost, arriveAgain }: Cargo): void {
    const { random, faults } = this.#links;
    const elapsed = this.#links.elapsed();
    const { delayMs, jitterMs, bytesPerSecond, ...rates } = this.#links.conditions(this.#from, this.#to);
    this.#busyUntil = Math.max(this.#busyUntil, elapsed) + (bytes * 1_000) / bytesPerSecond;
    let at = this.#busyUntil + delayMs + random.next() * jitterMs;
    const isLost = random.chance(rates.lossRate) || fate === 'lost';
    const isLate = random.chance(rates.reorderingRate);
    const isDouble = random.chance(rates.duplicationRate) || fate === 'doubled';
    if (lost && (isLost || this.#isDead)) {
      if (!this.#isDead) faults.lost += 1;
      return lost();
    }
    if (lost && isLate) {
      faults.reordered += 1;
      at += random.integer(LEAST_OVERTAKEN_MS, MOST_OVERTAKEN_MS);
    } else {
      at = Math.max(at, this.#lastAt);
      this.#lastAt = at;
    }
    this.#to.schedule(at - elapsed, () => this.#arrive(arrive));
    if (!isDouble || !arriveAgain) return;
    faults.duplicated += 1;
    const later = at - elapsed + random.next() * MOST_OVERTAKEN_MS;
    this.#to.schedule(later, () => this.#arrive(arriveAgain));
  }

  /** The link may be free again: then what was held goes through. */
  resume(): void {
    this.#to.schedule(0, () => this.#drain());
  }

  #arrive(arrive: () => void): void {
    if (this.#isDead) return;
    if (this.#held.length > 0 || this.#links.isBlocked(this.#from, this.#to)) this.#hold(arrive);
    else arrive();
  }

  #hold(arrive: () => void): void {
    this.#held.push(arrive);
    this.#links.holding.add(this);
  }

  #drain(): void {
    if (this.#links.isBlocked(this.#from, this.#to)) return;
    const arrive = this.#held.shift();
    if (this.#held.length > 0) this.resume();
    else this.#links.holding.delete(this);
    arrive?.();
  }
}
