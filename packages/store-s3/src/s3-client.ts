import { S3Client } from '@aws-sdk/client-s3';
import { RoutineEngineError } from '@routine-engine/core/adapter';
import type { ObjectStoreParts } from './object-store.js';
import type { S3StoreOptions } from './s3-options.js';

const CONNECT_MS = 5_000;
const IDLE_MS = 30_000;
const ATTEMPTS = 5;
const MOST_ATTEMPTS = 100;
const PART_BYTES = 8 * 1024 * 1024;
/** S3 takes no smaller part but the last, and none that is larger. */
const LEAST_PART_BYTES = 5 * 1024 * 1024;
const MOST_PART_BYTES = 5 * 1024 * 1024 * 1024;
/** What a timer can wait. */
const MOST_MS = 2_147_483_647;
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$/;
/** Leaves room for what the store adds to a name of at most 1,024 bytes. */
const PREFIX_BYTES = 800;

/** A bucket to work in, and its identity. */
export interface OpenPlace extends ObjectStoreParts {
  readonly identity: string;
  /** Whether the client was made here. */
  readonly isOwn: boolean;
}

/** Makes what the options say. Asks nothing of the server. @throws {@link RoutineEngineError} `OPTION_INVALID`. */
export function openPlace(options: S3StoreOptions): OpenPlace {
  assertOptions(options);
  const { bucket, client, attempts = ATTEMPTS, partBytes = PART_BYTES } = options;
  const endpoint = endpointOf(options);
  const prefix = prefixOf(options);
  const host = endpoint === undefined ? 'aws' : new URL(endpoint).host;
  return {
    client: client ?? makeClient(options, endpoint, attempts),
    isOwn: !client,
    bucket,
    prefix,
    attempts,
    partBytes,
    identity: `s3:${host}/${bucket}/${prefix}`,
  };
}

/** @throws {@link RoutineEngineError} `OPTION_INVALID`. */
export function assertOptions(options: S3StoreOptions): void {
  const { bucket, timeouts = {}, attempts = ATTEMPTS, partBytes = PART_BYTES, client } = options;
  const { connectMs = CONNECT_MS, idleMs = IDLE_MS } = timeouts;
  if (typeof bucket !== 'string' || !BUCKET.test(bucket)) refuse('bucket', 'the name of a bucket', bucket);
  prefixOf(options);
  assertNumber('timeouts.connectMs', connectMs, 1, MOST_MS);
  assertNumber('timeouts.idleMs', idleMs, 1, MOST_MS);
  assertNumber('attempts', attempts, 1, MOST_ATTEMPTS);
  assertNumber('partBytes', partBytes, LEAST_PART_BYTES, MOST_PART_BYTES);
  const endpoint = endpointOf(options);
  if (endpoint !== undefined && !/^https?:\/\/[^/]/.test(endpoint))
    refuse('endpoint', 'an http or https URL', endpoint);
  if (endpoint !== undefined && !URL.canParse(endpoint)) refuse('endpoint', 'an http or https URL', endpoint);
  if (client?.config.endpoint && options.endpoint === undefined) {
    refuse('endpoint', 'given beside a client that has one, as it is part of the identity', undefined);
  }
}

function makeClient(options: S3StoreOptions, endpoint: string | undefined, attempts: number): S3Client {
  const { credentials, timeouts } = options;
  const region = options.region ?? (endpoint === undefined ? undefined : 'us-east-1');
  const forcePathStyle = options.forcePathStyle ?? endpoint !== undefined;
  // Whoever stops in the middle of a blob keeps its connection: with a limit, such readers could keep all others out.
  const agent = { maxSockets: Infinity };
  return new S3Client({
    ...(endpoint !== undefined && { endpoint }),
    ...(region !== undefined && { region }),
    ...(credentials && { credentials }),
    forcePathStyle,
    maxAttempts: attempts,
    retryMode: 'standard',
    // Everything that is read is checked against its SHA-256.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: timeouts?.connectMs ?? CONNECT_MS,
      socketTimeout: timeouts?.idleMs ?? IDLE_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
  });
}

/** As the SDK finds it, which must not happen unnoticed: it is part of the identity. */
function endpointOf({ endpoint, client }: S3StoreOptions): string | undefined {
  if (endpoint !== undefined || client) return endpoint;
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  return AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL;
}

/** Without a slash before it, and with one slash behind it. */
function prefixOf({ prefix = '' }: S3StoreOptions): string {
  if (typeof prefix !== 'string')
    return refuse('prefix', 'what names begin with, such as news/results', prefix);
  const segments = prefix.replace(/^\/+|\/+$/g, '').split('/');
  if (segments.length === 1 && segments[0] === '') return '';
  // Those would be another name to some servers, or none at all.
  const isWrong = segments.some((segment) => ['', '.', '..'].includes(segment) || /\p{Cc}/u.test(segment));
  const cleaned = `${segments.join('/')}/`;
  if (isWrong || Buffer.byteLength(cleaned) > PREFIX_BYTES) {
    return refuse('prefix', `at most ${PREFIX_BYTES} bytes without empty segments, . and ..`, prefix);
  }
  return cleaned;
}

function assertNumber(name: string, value: unknown, least: number, most: number): void {
  const isNumber = Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
  if (!isNumber) refuse(name, `a whole number from ${least} to ${most}`, value);
}

function refuse(name: string, wanted: string, value: unknown): never {
  const given = String(value).slice(0, 100);
  throw new RoutineEngineError('OPTION_INVALID', `${name} of s3Store is ${wanted}, not ${given}`);
}
