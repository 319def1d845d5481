import type { Connection, Listener } from '../ports/transport.js';
import type { CaseResources } from './case-resources.js';
import type { ConnectionEnds, TransportGiven, TransportSubject } from './transport-subject.js';

/** Hears of the connections of one listener, which has room for one subscriber. */
class Reception {
  readonly #came: Connection[] = [];
  readonly #wanted: ((connection: Connection) => void)[] = [];

  constructor(listener: Listener, open: Set<Connection>) {
    listener.connections$.subscribe((connection) => {
      open.add(connection);
      const want = this.#wanted.shift();
      if (want) want(connection);
      else this.#came.push(connection);
    });
  }

  next(): Promise<Connection> {
    const first = this.#came.shift();
    return first ? Promise.resolve(first) : new Promise((resolve) => this.#wanted.push(resolve));
  }
}

/** Makes what one case of the transport kit works with. */
export async function transportGiven(
  subject: TransportSubject,
  resources: CaseResources,
): Promise<TransportGiven> {
  const place = await subject.create();
  resources.defer(() => place.destroy?.());
  const { listening, dialling = listening } = place;
  const receptions = new Map<Listener, Reception>();
  const open = new Set<Connection>();
  // All at once: an end with bodies that nobody reads waits for the other to close.
  const closeAll = (): Promise<unknown> => Promise.all([...open].map((connection) => connection.close()));
  const accept = (listener: Listener): Promise<Connection> => {
    const reception = receptions.get(listener) ?? new Reception(listener, open);
    receptions.set(listener, reception);
    return reception.next();
  };
  const listen = async (at = place.address()): Promise<Listener> => {
    const listener = await listening.listen(at);
    resources.defer(async () => {
      await closeAll();
      await listener.close();
    });
    return listener;
  };
  const dial = async (address: string, signal?: AbortSignal): Promise<Connection> => {
    const connection = await dialling.dial(address, signal && { signal });
    open.add(connection);
    return connection;
  };
  const ends = async (listener: Listener, address: string): Promise<ConnectionEnds> => {
    const [here, there] = await Promise.all([dial(address), accept(listener)]);
    return { listener, here, there };
  };
  const link: TransportGiven['link'] = async (listener) => {
    const made = await present(subject.link?.(listener, place), 'link');
    // Before its connections: what is silent would let them wait.
    resources.defer(() => made.close());
    return made;
  };
  return {
    ...{ capabilities: subject.capabilities, listening, dialling, accept, listen, dial, link },
    signal: resources.signal,
    address: () => place.address(),
    nowhere: async () => {
      const listener = await listen();
      const { address } = listener;
      await listener.close();
      return address;
    },
    connected: async (listener) => {
      const own = listener ?? (await listen());
      return ends(own, own.address);
    },
    linked: async (listener) => {
      const own = listener ?? (await listen());
      const way = await link(own);
      return { ...(await ends(own, way.address)), link: way };
    },
    raw: async (listener) => {
      const peer = await present(subject.raw?.(listener, place), 'raw');
      resources.defer(() => peer.destroy());
      return peer;
    },
    opening: (listener) => subject.opening?.(listener) ?? new Uint8Array(0),
  };
}

/** What a hook of the subject gives, for cases that need it. */
function present<T>(given: T | undefined, name: string): T {
  if (given === undefined) throw new TypeError(`The subject has no ${name}, which this case needs`);
  return given;
}
