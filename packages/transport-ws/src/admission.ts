import type { WsListenerLimits } from './options.js';
import { WS_LIMITS } from './options.js';

/** Counts who is connected and who wants to be, and says when that is too many. */
export class Admission {
  readonly #limits: Required<WsListenerLimits>;
  readonly #byAddress = new Map<string, number>();
  #connections = 0;
  #handshakes = 0;

  constructor(limits: WsListenerLimits = {}) {
    const { connections, connectionsPerAddress, handshakes, handshakeMs, headerBytes } = WS_LIMITS;
    const defaults = { connections, connectionsPerAddress, handshakes, handshakeMs, headerBytes };
    this.#limits = { ...defaults, ...limits };
  }

  /**
   * Takes a request that wants to connect.
   * @returns its place, to be told when it has authenticated and when it has gone; `undefined` when there are too many.
   */
  enter(address: string): { authenticated(): void; gone(): void } | undefined {
    const sameAddress = this.#byAddress.get(address) ?? 0;
    const { connections, connectionsPerAddress, handshakes } = this.#limits;
    if (this.#connections >= connections || this.#handshakes >= handshakes) return undefined;
    if (sameAddress >= connectionsPerAddress) return undefined;
    this.#connections += 1;
    this.#handshakes += 1;
    this.#byAddress.set(address, sameAddress + 1);
    let inHandshake = true;
    let isThere = true;
    const authenticated = (): void => {
      if (inHandshake) this.#handshakes -= 1;
      inHandshake = false;
    };
    const gone = (): void => {
      if (!isThere) return;
      isThere = false;
      authenticated();
      this.#connections -= 1;
      const rest = (this.#byAddress.get(address) ?? 1) - 1;
      if (rest > 0) this.#byAddress.set(address, rest);
      else this.#byAddress.delete(address);
    };
    return { authenticated, gone };
  }
}
