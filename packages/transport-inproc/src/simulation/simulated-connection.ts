import { Observable, ReplaySubject, type Subscriber } from 'rxjs';
import {
  RoutineEngineError,
  dropBody,
  type Body,
  type Connection,
  type ConnectionState,
  type Envelope,
} from '@routine-engine/core/adapter';
import { CarriedBody, goesInline, inlineBody, type Carriage } from './carried-body.js';
import type { Links } from './link-conditions.js';
import type { SimulatedProcess } from './simulated-process.js';
import { Wire } from './wire.js';

/** What a header weighs, whatever is in it. */
const HEADER_BYTES = 256;

/** Somebody who waits for the window of the other end. */
interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface EndParts {
  readonly peer: string;
  readonly process: SimulatedProcess;
  readonly links: Links;
  readonly windowBytes: number;
  readonly sharesMemory: boolean;
}

/** One end of a simulated connection. */
export class SimulatedConnection implements Connection {
  readonly peer: string;
  readonly process: SimulatedProcess;
  readonly #parts: EndParts;
  readonly #state = new ReplaySubject<ConnectionState>(1);
  readonly #endListeners = new Set<() => void>();
  #other!: SimulatedConnection;
  /** To the other end. */
  #wire!: Wire;
  #inbox: { readonly envelope: Envelope; readonly bytes: number }[] = [];
  #subscriber: Subscriber<Envelope> | undefined;
  /** Bytes that were sent and that the other end has not handled. */
  #unhandled = 0;
  #waiting: Waiting[] = [];
  #isOpen = true;
  #isTellingRoom = false;

  private constructor(parts: EndParts) {
    this.peer = parts.peer;
    this.process = parts.process;
    this.#parts = parts;
    this.#state.next('open');
  }

  /** Two ends, of which the first dialled. */
  static pair(one: EndParts, two: EndParts): readonly [SimulatedConnection, SimulatedConnection] {
    const [near, far] = [new SimulatedConnection(one), new SimulatedConnection(two)];
    near.#tie(far);
    far.#tie(near);
    return [near, far];
  }

  #tie(other: SimulatedConnection): void {
    this.#other = other;
    this.#wire = new Wire(this.#parts.links, this.process, other.process);
  }

  readonly state$: Observable<ConnectionState> = new Observable((listener) =>
    this.#state.subscribe(listener),
  );

  readonly inbound$: Observable<Envelope> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    if (this.#inbox.length > 0 || !this.#isOpen) this.process.schedule(0, () => this.#handle());
    return () => {
      if (this.#subscriber === subscriber) this.#subscriber = undefined;
    };
  });

  get otherProcess(): SimulatedProcess {
    return this.#other.process;
  }

  get full(): boolean {
    return this.#unhandled >= this.#parts.windowBytes;
  }

  send(envelope: Envelope): boolean {
    if (!this.#isOpen) throw this.#closedError();
    const { header, body } = envelope;
    const isWhole = !body || this.#parts.sharesMemory || goesInline(body);
    const bytes = HEADER_BYTES + (isWhole && body ? body.byteLength : 0);
    this.#unhandled += bytes;
    this.#parts.links.note(`${this.process.name} > ${this.#other.process.name} ${describe(header)}`);
    const carried = body && this.#carried(body, isWhole);
    const arriving = carried ? { header, body: carried } : { header };
    this.#wire.carry({
      bytes,
      fate: this.#parts.links.fateOf(this.process, this.#other.process, header),
      arrive: () => this.#other.#receive(arriving, bytes),
      lost: () => {
        this.#unhandled -= bytes;
        dropBody(carried);
      },
      // What streams is read once.
      ...(isWhole && { arriveAgain: () => this.#other.#receive(arriving, 0) }),
    });
    return !this.full;
  }

  drained(): Promise<void> {
    if (!this.#isOpen) return Promise.reject(this.#closedError());
    if (!this.full) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#wire.carry({ bytes: HEADER_BYTES, arrive: () => this.#other.end() });
    this.end();
  }

  /** The connection is gone, as this end is told. What it received before is still handled. */
  end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#leave();
    for (const { reject } of this.#takeWaiting()) reject(this.#closedError());
    this.#state.next('closed');
    this.#state.complete();
    this.process.schedule(0, () => this.#handle());
  }

  /** From now on nothing goes from this end to the other. */
  breakWire(): void {
    this.#wire.die();
  }

  /** Its process is dead; the system closes what that had open, unless the wire is broken before. */
  die(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#leave();
    this.#wire.carry({ bytes: HEADER_BYTES, arrive: () => this.#other.end() });
  }

  #leave(): void {
    for (const listener of [...this.#endListeners]) listener();
    this.#endListeners.clear();
  }

  #receive(envelope: Envelope, bytes: number): void {
    if (!this.#isOpen) return dropBody(envelope.body);
    this.#inbox.push({ envelope, bytes });
    this.#handle();
  }

  #handle(): void {
    while (this.#subscriber) {
      const next = this.#inbox.shift();
      if (!next) break;
      this.#other.#unhandled -= next.bytes;
      this.#subscriber.next(next.envelope);
      this.#parts.links.handled(this.#other.process, this.process, next.envelope.header);
    }
    if (this.#other.#waiting.length > 0 && !this.#other.full) this.#tellRoom();
    if (!this.#isOpen && this.#inbox.length === 0) this.#subscriber?.complete();
  }

  #tellRoom(): void {
    if (this.#isTellingRoom) return;
    this.#isTellingRoom = true;
    this.#wire.carry({
      bytes: 0,
      arrive: () => {
        this.#isTellingRoom = false;
        if (this.#other.full) return;
        for (const { resolve } of this.#other.#takeWaiting()) resolve();
      },
    });
  }

  #takeWaiting(): Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  #carried(body: Body, isWhole: boolean): Body {
    if (this.#parts.sharesMemory) return body;
    return isWhole ? inlineBody(body) : new CarriedBody(body, this.#carriage());
  }

  /** For bodies that this end sends. */
  #carriage(): Carriage {
    const other = this.#other;
    return {
      toReader: this.#wire,
      toSender: other.#wire,
      onEnd: (listener) => {
        const ends = [this.#endListeners, other.#endListeners];
        for (const end of ends) end.add(listener);
        return () => {
          for (const end of ends) end.delete(listener);
        };
      },
    };
  }

  #closedError(): RoutineEngineError {
    return new RoutineEngineError('TRANSPORT_CLOSED', `The connection to ${this.peer} is closed`);
  }
}

function describe(header: Envelope['header']): string {
  const { type, runId = '', lease = '' } = header;
  return `${String(type)} ${String(runId)} ${String(lease)}`;
}
