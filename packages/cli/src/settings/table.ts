import { availableParallelism } from 'node:os';
import { type Kind, labels, text, texts, truth, wholeNumber } from './kinds.js';

/** One setting: under its name in a configuration file, by its flag, and by its variable in the environment. */
export interface Setting<T> {
  readonly kind: Kind<T>;
  /** Without a flag it is given as an argument. */
  readonly flag?: string;
  readonly env: string;
  readonly help: string;
  readonly fallback?: T;
  /** It names files: those of a configuration file are relative to it. */
  readonly isPath?: boolean;
}

const MOST_SLOTS = 1_024;
const MOST_RUNS = 100_000_000;
const MOST_DELIVERIES = 1_000;
/** What timers can wait. */
const LONGEST_MS = 2 ** 31 - 1;
const DEFAULT_PORT = 7_700;

/** Every setting of the command. */
export const SETTINGS = {
  config: {
    ...{ kind: text, flag: '--config <file>', env: 'ROUTINE_CONFIG', isPath: true },
    help: 'configuration file (default: routine.config.{ts,mts,js,mjs} here)',
  },
  project: {
    ...{ kind: text, flag: '--project <name>', env: 'ROUTINE_PROJECT', fallback: 'local' },
    help: 'project that routine ids belong to when they name none',
  },
  name: {
    ...{ kind: text, flag: '--name <name>', env: 'ROUTINE_NAME' },
    help: 'name of this node',
  },
  url: {
    ...{ kind: text, flag: '--url <url>', env: 'ROUTINE_URL', fallback: `ws://127.0.0.1:${DEFAULT_PORT}/` },
    help: 'where the service is',
  },
  tokenFile: {
    ...{ kind: text, flag: '--token-file <file>', env: 'ROUTINE_TOKEN_FILE', isPath: true },
    help: 'file with the token (or the token itself in ROUTINE_TOKEN)',
  },
  tlsCa: {
    ...{ kind: text, flag: '--tls-ca <file>', env: 'ROUTINE_TLS_CA', isPath: true },
    help: 'certificates of authorities to trust, in PEM',
  },
  allowPlaintext: {
    ...{ kind: truth, flag: '--allow-plaintext', env: 'ROUTINE_ALLOW_PLAINTEXT', fallback: false },
    help: 'do without TLS where others could read along, as in a private network',
  },
  connectTimeoutMs: {
    ...{ kind: wholeNumber(0, LONGEST_MS), flag: '--connect-timeout-ms <number>' },
    ...{ env: 'ROUTINE_CONNECT_TIMEOUT_MS' },
    help: 'how long to wait for a service that is not there yet; default of a worker: for as long as it takes, of run: 30000',
  },
  store: {
    ...{ kind: text, flag: '--store <dir>', env: 'ROUTINE_STORE', isPath: true },
    ...{ fallback: '.routine-engine/results', help: 'directory that keeps results, or memory' },
  },
  modules: {
    ...{ kind: texts, env: 'ROUTINE_MODULES', isPath: true },
    help: 'modules that define routines',
  },
  host: {
    ...{ kind: text, flag: '--host <host>', env: 'ROUTINE_HOST', fallback: '127.0.0.1' },
    help: 'host to listen on; others than loopback need a token and TLS',
  },
  port: {
    ...{ kind: wholeNumber(0, 65_535), flag: '--port <number>', env: 'ROUTINE_PORT', fallback: DEFAULT_PORT },
    help: 'port to listen on, 0 for any that is free',
  },
  tlsCert: {
    ...{ kind: text, flag: '--tls-cert <file>', env: 'ROUTINE_TLS_CERT', isPath: true },
    help: 'certificate of the service, in PEM',
  },
  tlsKey: {
    ...{ kind: text, flag: '--tls-key <file>', env: 'ROUTINE_TLS_KEY', isPath: true },
    help: 'key of the certificate, in PEM',
  },
  queuedRuns: {
    ...{ kind: wholeNumber(0, MOST_RUNS), flag: '--queued-runs <number>', env: 'ROUTINE_QUEUED_RUNS' },
    ...{ fallback: 1_000_000, help: 'runs that may wait for a worker' },
  },
  maxDeliveries: {
    ...{ kind: wholeNumber(1, MOST_DELIVERIES), flag: '--max-deliveries <number>' },
    ...{ env: 'ROUTINE_MAX_DELIVERIES', fallback: 3 },
    help: 'workers that a run may bring down before it fails',
  },
  slots: {
    ...{ kind: wholeNumber(1, MOST_SLOTS), flag: '--slots <number>', env: 'ROUTINE_SLOTS' },
    ...{ fallback: availableParallelism(), help: 'runs that compute at once, each on a thread of its own' },
  },
  labels: {
    ...{ kind: labels, flag: '--label <name=value>', env: 'ROUTINE_LABELS', fallback: {} },
    help: 'what runs may require of this worker; may be given several times',
  },
  graceMs: {
    ...{ kind: wholeNumber(0, LONGEST_MS), flag: '--grace-ms <number>', env: 'ROUTINE_GRACE_MS' },
    ...{ fallback: 30_000, help: 'how long runs in hand may go on when the worker is stopped' },
  },
} as const satisfies Record<string, Setting<unknown>>;

export type SettingName = keyof typeof SETTINGS;

type KindOf<S> = S extends { readonly kind: Kind<infer T> } ? T : never;
/** What a setting has: with a default always something. */
export type SettingValue<Name extends SettingName> = (typeof SETTINGS)[Name] extends {
  readonly fallback: unknown;
}
  ? KindOf<(typeof SETTINGS)[Name]>
  : KindOf<(typeof SETTINGS)[Name]> | undefined;
