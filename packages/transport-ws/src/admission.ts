import { WS_LIMITS, type WsListenerLimits } from './options.js';

type Bounds = Required<Pick<WsListenerLimits, 'connections' | 'connectionsPerAddress' | 'handshakes'>>;

/** Which part of all handshakes one address may have. */
const HANDSHAKES_SHARE = 4;

/** What one address has. */
interface Counts {
  /** Sockets, whatever was said over them. */
  sockets: number;
  /** Requests to connect, and what became of them. */
  connections: number;
  handshakes: number;
}

/** Counts who is connected and who wants to be, and says when that is too many: in all, and of one address. */
export class Admission {
  readonly #bounds: Bounds;
  readonly #byAddress = new Map<string, Counts>();
  #connections = 0;
  #handshakes = 0;

  constructor(limits: WsListenerLimits = {}) {
    const {
      connections = WS_LIMITS.connections,
      connectionsPerAddress = WS_LIMITS.connectionsPerAddress,
      handshakes = WS_LIMITS.handshakes,
    } = limits;
    this.#bounds = { connections, connectionsPerAddress, handshakes };
  }

  /**
   * Takes a socket over which nothing was said yet. An address has as many beside its connections as it may have of those.
   * @returns what to call, once, when it has gone; `undefined` when there are too many.
   */
  open(address: string): (() => void) | undefined {
    const counts = this.#of(address);
    if (counts.sockets >= 2 * this.#bounds.connectionsPerAddress) return undefined;
    counts.sockets += 1;
    return () => {
      counts.sockets -= 1;
      this.#tidy(address, counts);
    };
  }

  /**
   * Takes a request that wants to connect.
   * @returns its place, to be told when it has authenticated and, once, when it has gone; `undefined` when there are too many.
   */
  enter(address: string): { authenticated(): void; gone(): void } | undefined {
    const { connections, connectionsPerAddress, handshakes } = this.#bounds;
    if (this.#connections >= connections || this.#handshakes >= handshakes) return undefined;
    const counts = this.#of(address);
    const isGreedy = counts.handshakes >= Math.ceil(handshakes / HANDSHAKES_SHARE);
    // One that is refused has something: nothing is left of an address that has not.
    if (isGreedy || counts.connections >= connectionsPerAddress) return undefined;
    this.#count(counts, 1, 1);
    let inHandshake = true;
    const authenticated = (): void => {
      if (inHandshake) this.#count(counts, 0, -1);
      inHandshake = false;
    };
    const gone = (): void => {
      authenticated();
      this.#count(counts, -1, 0);
      this.#tidy(address, counts);
    };
    return { authenticated, gone };
  }

  #of(address: string): Counts {
    const known = this.#byAddress.get(address);
    if (known) return known;
    const counts = { sockets: 0, connections: 0, handshakes: 0 };
    this.#byAddress.set(address, counts);
    return counts;
  }

  #count(counts: Counts, connections: number, handshakes: number): void {
    counts.connections += connections;
    counts.handshakes += handshakes;
    this.#connections += connections;
    this.#handshakes += handshakes;
  }

  #tidy(address: string, { sockets, connections }: Counts): void {
    if (sockets === 0 && connections === 0) this.#byAddress.delete(address);
  }
}
