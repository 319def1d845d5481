import type { EnginePlugin, Labels } from '@routine-engine/core/adapter';
import type { HeartbeatLimits } from '@routine-engine/core/host';
import type { WsClientOptions, WsListenerOptions } from '@routine-engine/transport-ws';

/**
 * What `routine.config.ts` says: the options of `Lifecycle.init`, and settings that flags and `ROUTINE_*` variables come on top
 * of. Paths are relative to the file.
 * @public
 */
export interface RoutineConfig {
  /** As of `Lifecycle.init`. Default `local`. */
  readonly project?: string;
  /** As of `Lifecycle.init`: the name of the node. Default `service`, `client`, or one made of host and process for a worker. */
  readonly name?: string;
  /**
   * As of `Lifecycle.init`, for services, workers and clients alike. A transport among them takes the place of the one by
   * WebSocket, and a store the place of the directory.
   */
  readonly plugins?: readonly EnginePlugin[];
  /** Where the service is, such as `wss://routines.example.org/`. Default `ws://127.0.0.1:7700/`. */
  readonly url?: string;
  /** Path of a file whose first line is the token of this node; for a service, the token of its nodes. */
  readonly tokenFile?: string;
  /** Path of the certificates of authorities that are trusted to vouch for the service, in PEM. Default: those of Node. */
  readonly tlsCa?: string;
  /** Sends a token, or takes connections from other machines, also without TLS, as in a private network. Default `false`. */
  readonly allowPlaintext?: boolean;
  /**
   * Workers and `routine run`: how long to wait for a service that is not there yet, in milliseconds; 0 fails at once. Default:
   * a worker waits for as long as it takes, `routine run` 30,000.
   */
  readonly connectTimeoutMs?: number;
  /** Directory that keeps results, or `memory`. Default `.routine-engine/results`. */
  readonly store?: string;
  /** Modules that define routines: paths, or URLs. */
  readonly modules?: readonly (string | URL)[];
  /** Service: the host it listens on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Service: the port it listens on; 0 for any that is free. Default 7700. */
  readonly port?: number;
  /** Service: path of its certificate, in PEM. */
  readonly tlsCert?: string;
  /** Service: path of the key of its certificate, in PEM. */
  readonly tlsKey?: string;
  /** Service: runs that may wait for a worker. Default 1,000,000. */
  readonly queuedRuns?: number;
  /**
   * Service: workers that a run may bring down before it fails as `RUN_POISONED`. More where machines may be taken away at any
   * time. Default 3.
   */
  readonly maxDeliveries?: number;
  /** Service: how often nodes are asked for their pulse, and after how long without it they are given up. */
  readonly heartbeat?: HeartbeatLimits;
  /** Worker: runs that compute at once, each on a thread of its own. Default: the cores of the machine. */
  readonly slots?: number;
  /** Worker: what runs may require of it, such as `{ gpu: 'a100' }`. */
  readonly labels?: Labels;
  /** Worker: how long runs in hand may go on when it is stopped, in milliseconds. Default 30,000. */
  readonly graceMs?: number;
  /** Service: further options of its listener, such as `auth` with roles, limits or mutual TLS. */
  readonly listener?: Omit<WsListenerOptions, 'server' | 'onRequest'>;
  /** Workers and clients: further options of their connection, such as a client certificate. */
  readonly connection?: WsClientOptions;
}

/** Gives its argument: an editor then knows the options. @public */
export function defineConfig(config: RoutineConfig): RoutineConfig {
  return config;
}
