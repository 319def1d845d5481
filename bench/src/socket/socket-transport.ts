import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import {
  multiplex,
  RoutineEngineError,
  type Clock,
  type Connection,
  type Listener,
  type Transport,
  type TransportCapabilities,
} from '@routine-engine/core/adapter';
import { Observable, ReplaySubject } from 'rxjs';
import { SocketPipe } from './socket-pipe.js';

const SCHEME = 'unix:';

/** Carries directives between processes of one machine by unix-domain sockets. For benchmarks only. */
export class SocketTransport implements Transport {
  readonly name = 'unix';
  readonly schemes = [SCHEME];
  readonly capabilities: TransportCapabilities = {
    ordered: true,
    largestBodyBytes: Number.POSITIVE_INFINITY,
    sharesMemory: false,
  };
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param address - such as `unix:/run/service.sock`. */
  async dial(address: string, options: { readonly signal?: AbortSignal } = {}): Promise<Connection> {
    const socket = await connectTo(pathOf(address), options.signal);
    return multiplex(new SocketPipe(socket, address), { clock: this.#clock });
  }

  async listen(address: string): Promise<Listener> {
    // Read of by its pipe, and not before somebody reads the pipe.
    const server = createServer({ pauseOnConnect: true });
    const listener = new SocketListener(address, server, this.#clock);
    server.listen(pathOf(address));
    try {
      await once(server, 'listening');
    } catch (error) {
      const message = `${address} can't be listened at`;
      throw new RoutineEngineError('TRANSPORT_ADDRESS_IN_USE', message, { cause: error });
    }
    return listener;
  }
}

/** Connects to a socket of this machine. @throws {@link RoutineEngineError} `TRANSPORT_UNREACHABLE`. */
export async function connectTo(path: string, signal?: AbortSignal): Promise<Socket> {
  const socket = connect({ path, ...(signal && { signal }) });
  try {
    await once(socket, 'connect');
  } catch (error) {
    signal?.throwIfAborted();
    throw new RoutineEngineError('TRANSPORT_UNREACHABLE', `Nothing listens at ${path}`, { cause: error });
  }
  return socket;
}

class SocketListener implements Listener {
  readonly address: string;
  readonly #server: Server;
  readonly #found = new ReplaySubject<Connection>();
  readonly #open = new Set<Connection>();

  constructor(address: string, server: Server, clock: Clock) {
    this.address = address;
    this.#server = server;
    server.on('connection', (socket) => {
      const connection = multiplex(new SocketPipe(socket, `${address}#dialler`), { clock });
      this.#open.add(connection);
      connection.state$.subscribe({ complete: () => this.#open.delete(connection) });
      this.#found.next(connection);
    });
  }

  readonly connections$: Observable<Connection> = new Observable((subscriber) =>
    this.#found.subscribe(subscriber),
  );

  async close(): Promise<void> {
    this.#server.close();
    await Promise.all([...this.#open].map((connection) => connection.close()));
    this.#found.complete();
  }
}

function pathOf(address: string): string {
  if (address.startsWith(SCHEME)) return address.slice(SCHEME.length);
  throw new RoutineEngineError(
    'TRANSPORT_UNREACHABLE',
    `${address} is no address such as ${SCHEME}/run/a.sock`,
  );
}
