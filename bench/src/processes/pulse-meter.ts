import type { Connection, Envelope, Listener, NodeRole } from '@routine-engine/core/adapter';
import { map, tap } from 'rxjs';

/** How late the pulses of workers and of clients were, in milliseconds, one number a pulse. */
export type Pulses = Readonly<Record<NodeRole, number[]>>;

/** Takes the time from when the service should ask for a pulse until its answer comes. */
export class PulseMeter {
  readonly #heartbeatMs: number;
  #pulses: Pulses = { worker: [], client: [] };

  /** @param heartbeatMs - milliseconds from one question to the next. */
  constructor(heartbeatMs: number) {
    this.#heartbeatMs = heartbeatMs;
  }

  /** The same listener, with connections whose pulses are timed. */
  listenerOf(listener: Listener): Listener {
    return {
      address: listener.address,
      connections$: listener.connections$.pipe(map((connection) => this.#timed(connection))),
      close: () => listener.close(),
    };
  }

  /** What was measured since the last call. */
  take(): Pulses {
    const pulses = this.#pulses;
    this.#pulses = { worker: [], client: [] };
    return pulses;
  }

  #timed(connection: Connection): Connection {
    const dueAt: number[] = [];
    let askedAt = Number.POSITIVE_INFINITY;
    let role: NodeRole = 'client';
    return {
      peer: connection.peer,
      state$: connection.state$,
      get full() {
        return connection.full;
      },
      inbound$: connection.inbound$.pipe(
        tap(({ header }) => {
          if (header['type'] === 'hello') role = header['role'] as NodeRole;
          const at = header['type'] === 'v1.heartbeat.give_pulse' ? dueAt.shift() : undefined;
          if (at !== undefined) this.#pulses[role].push(performance.now() - at);
        }),
      ),
      send: (envelope: Envelope) => {
        if (envelope.header['type'] === 'v1.heartbeat.check_pulse') {
          const now = performance.now();
          dueAt.push(Math.min(now, askedAt + this.#heartbeatMs));
          askedAt = now;
        }
        return connection.send(envelope);
      },
      drained: () => connection.drained(),
      close: (reason) => connection.close(reason),
    };
  }
}
