import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CLOCK,
  type Clock,
  type Connection,
  type EnginePlugin,
  type Listener,
  type Part,
  type PartGetter,
  RANDOM,
  type Random,
  RoutineEngineError,
  TRANSPORT,
  type Transport,
} from '@routine-engine/core/adapter';
import { redialDelayMs } from '@routine-engine/core/host';
import { failureText } from '../tell-failure.js';

/** How long a node looks for a service that is not there yet. */
export interface Patience {
  /** Milliseconds; 0: it is dialled once. */
  readonly forMs: number;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

/**
 * The same plugins, whose transport dials until a service is there for the first time; notes tell that it waits, and why. What
 * is lost later is dialled again anyway.
 */
export function waitingForService(
  plugins: readonly EnginePlugin[],
  patience: Patience,
): readonly EnginePlugin[] {
  return plugins.map((plugin) => ({
    ...plugin,
    parts: plugin.parts.map((part) => (part.token === TRANSPORT ? waiting(part, patience) : part)),
  }));
}

function waiting(part: Part, patience: Patience): Part {
  const { start, stop } = part.hooks;
  return {
    ...part,
    build: (parts) => new WaitingTransport(part.build(parts) as Transport, parts, patience),
    hooks: {
      ...(start && { start: (made) => start((made as WaitingTransport).dialled) }),
      ...(stop && { stop: (made) => stop((made as WaitingTransport).dialled) }),
    },
  };
}

class WaitingTransport implements Transport {
  /** What it waits with. */
  readonly dialled: Transport;
  readonly #patience: Patience;
  readonly #clock: Clock;
  readonly #random: Random;
  #isFound = false;

  constructor(dialled: Transport, parts: PartGetter, patience: Patience) {
    this.dialled = dialled;
    this.#patience = patience;
    this.#clock = parts.get(CLOCK);
    this.#random = parts.get(RANDOM);
  }

  get name(): string {
    return this.dialled.name;
  }

  get schemes(): readonly string[] {
    return this.dialled.schemes;
  }

  get capabilities(): Transport['capabilities'] {
    return this.dialled.capabilities;
  }

  listen(address: string): Promise<Listener> {
    return this.dialled.listen(address);
  }

  async dial(address: string, options?: { readonly signal?: AbortSignal }): Promise<Connection> {
    if (this.#isFound) return this.dialled.dial(address, options);
    const until = this.#clock.monotonic() + this.#patience.forMs;
    let told = '';
    for (let failures = 0; ; failures += 1) {
      try {
        const connection = await this.dialled.dial(address, options);
        this.#isFound = true;
        return connection;
      } catch (error) {
        const waitMs = redialDelayMs(failures, this.#random.next());
        if (!isUnreachable(error) || this.#clock.monotonic() + waitMs >= until) throw error;
        const why = failureText(error);
        if (why !== told) process.stderr.write(`waits for the service: ${why}\n`);
        told = why;
        await delay(waitMs, undefined, { signal: this.#signalOf(options) });
      }
    }
  }

  #signalOf(options: { readonly signal?: AbortSignal } | undefined): AbortSignal {
    return AbortSignal.any([this.#patience.signal, options?.signal].filter((each) => each !== undefined));
  }
}

/** How TLS says that one side does not trust the other, which no waiting changes. */
const DISTRUST = /^(?:ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/;

function isUnreachable(error: unknown): boolean {
  if (!(error instanceof RoutineEngineError) || error.code !== 'TRANSPORT_UNREACHABLE') return false;
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  return code === undefined || !DISTRUST.test(code);
}
