import { Observable, Subject } from 'rxjs';

/** A state that can be watched: a subscriber gets the current one first, then each change. */
export class StateFeed<State> {
  readonly #subject = new Subject<State>();
  #state: State;
  #complete = false;

  constructor(initial: State) {
    this.#state = initial;
  }

  readonly state$: Observable<State> = new Observable<State>((listener) => {
    listener.next(this.#state);
    if (this.#complete) {
      listener.complete();
      return undefined;
    }
    return this.#subject.subscribe(listener);
  });

  get state(): State {
    return this.#state;
  }

  /** Tells a change; the same state again is none. */
  set(state: State): void {
    if (state === this.#state || this.#complete) return;
    this.#state = state;
    this.#subject.next(state);
  }

  complete(): void {
    this.#complete = true;
    this.#subject.complete();
  }
}
