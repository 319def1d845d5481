import { Subject } from 'rxjs';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { Connection, Envelope } from '../../src/ports/transport.js';

/** A connection whose window and peer a test plays itself. */
export class ScriptedConnection implements Connection {
  readonly peer = 'scripted';
  readonly sent: Envelope[] = [];
  readonly inbound$ = new Subject<Envelope>();
  readonly state$ = new Subject<'open' | 'closed'>();
  full = false;
  closed = false;
  /** Thrown by the next `send`. */
  refuseNext: Error | undefined;
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  send(envelope: Envelope): boolean {
    if (this.closed) throw new RoutineEngineError('TRANSPORT_CLOSED', 'closed');
    const refusal = this.refuseNext;
    this.refuseNext = undefined;
    if (refusal) throw refusal;
    this.sent.push(envelope);
    return !this.full;
  }

  drained(): Promise<void> {
    if (this.closed) return Promise.reject(new RoutineEngineError('TRANSPORT_CLOSED', 'closed'));
    if (!this.full) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** The window has room again. */
  drain(): void {
    this.full = false;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const { reject } of this.#waiting.splice(0))
      reject(new RoutineEngineError('TRANSPORT_CLOSED', 'closed'));
    this.inbound$.complete();
  }
}
