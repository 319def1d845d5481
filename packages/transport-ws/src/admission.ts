import { WS_LIMITS, type WsListenerLimits } from './options.js';

type Bounds = Required<Pick<WsListenerLimits, 'connections' | 'connectionsPerAddress' | 'handshakes'>>;

/** Counts who is connected and who wants to be, and says when that is too many. */
export class Admission {
  readonly #bounds: Bounds;
  readonly #byAddress = new Map<string, number>();
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
   * Takes a request that wants to connect.
   * @returns its place, to be told when it has authenticated and, once, when it has gone; `undefined` when there are too many.
   */
  enter(address: string): { authenticated(): void; gone(): void } | undefined {
    const sameAddress = this.#byAddress.get(address) ?? 0;
    const { connections, connectionsPerAddress, handshakes } = this.#bounds;
    if (this.#connections >= connections || this.#handshakes >= handshakes) return undefined;
    if (sameAddress >= connectionsPerAddress) return undefined;
    this.#connections += 1;
    this.#handshakes += 1;
    this.#byAddress.set(address, sameAddress + 1);
    let inHandshake = true;
    const authenticated = (): void => {
      if (inHandshake) this.#handshakes -= 1;
      inHandshake = false;
    };
    const gone = (): void => {
      authenticated();
      this.#connections -= 1;
      const rest = (this.#byAddress.get(address) ?? 1) - 1;
      if (rest > 0) this.#byAddress.set(address, rest);
      else this.#byAddress.delete(address);
    };
    return { authenticated, gone };
  }
}
