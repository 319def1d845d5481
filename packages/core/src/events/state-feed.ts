import { Observable } from 'rxjs';
import { EventFeed } from './event-feed.js';

/** A state that can be watched: a subscriber gets the current one first, then each change. */
export class StateFeed<State> {
  /** Tells changes in order, also when a listener makes the next one. */
  readonly #changes = new EventFeed<State>();
  #state: State;
  /** The last one that was told: behind `#state` while a listener makes the next change. */
  #told: State;
  #complete = false;
  /** Somebody has ever listened. Before, a change costs two assignments. */
  #watched = false;

  constructor(initial: State) {
    this.#state = initial;
    this.#told = initial;
  }

  readonly state$: Observable<State> = new Observable<State>((listener) => {
    this.#watch();
    listener.next(this.#told);
    return this.#changes.events$.subscribe(listener);
  });

  get state(): State {
    return this.#state;
  }

  /** Tells a change; the same state again is none. */
  set(state: State): void {
    if (state === this.#state || this.#complete) return;
    this.#state = state;
    if (this.#watched) this.#changes.emit(state);
    else this.#told = state;
  }

  complete(): void {
    this.#complete = true;
    this.#changes.complete();
  }

  #watch(): void {
    if (this.#watched) return;
    this.#watched = true;
    // The first listener, so that it is up to date when any other hears of a change.
    this.#changes.events$.subscribe((state) => (this.#told = state));
  }
}
