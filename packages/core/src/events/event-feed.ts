import { Observable, Subject } from 'rxjs';

/**
 * The one place that owns a Subject: whoever holds the feed may speak, everyone else gets `events$` and can only
 * listen. Hot, no replay; it never errors and completes with `complete()`.
 * @public
 */
export class EventFeed<Event> {
  readonly #subject = new Subject<Event>();
  #waiting: Event[] = [];
  #speaking = false;
  #completing = false;

  /** A fresh Observable: `asObservable().source` would hand out the Subject itself. */
  readonly events$: Observable<Event> = new Observable<Event>((listener) =>
    this.#subject.subscribe(listener),
  );

  /** Whether anybody listens. Ask before making an event, so that unobserved events cost nothing. */
  get observed(): boolean {
    return this.#subject.observed;
  }

  /** Tells an event to everybody, in order, also when a listener emits in turn. */
  emit(event: Event): void {
    if (this.#speaking) this.#waiting.push(event);
    else this.#speak(event);
  }

  /** Completes once everything that was emitted has been told. */
  complete(): void {
    this.#completing = true;
    if (!this.#speaking) this.#subject.complete();
  }

  #speak(event: Event): void {
    this.#speaking = true;
    try {
      this.#subject.next(event);
      while (this.#waiting.length > 0) {
        const batch = this.#waiting;
        this.#waiting = [];
        for (const next of batch) this.#subject.next(next);
      }
    } finally {
      this.#speaking = false;
    }
    if (this.#completing) this.#subject.complete();
  }
}
