import { type ErrorCode, RoutineEngineError } from '@routine-engine/core/adapter';

/** What was being done when S3 refused it. */
export interface Attempt {
  /** Such as `keep the result ab…`. */
  readonly doing: string;
  /** Bucket and name of the object, or what its name begins with. */
  readonly where: string;
  /** What the identity must be allowed to do for it. */
  readonly permission: string;
}

const ADVICE: ReadonlyMap<string, string> = new Map([
  ['InvalidAccessKeyId', 'the server does not know the access key: give credentials that it knows'],
  ['SignatureDoesNotMatch', 'the secret access key is not that of the access key: correct credentials'],
  ['ExpiredToken', 'the credentials have expired: get new ones'],
  ['InvalidToken', 'the session token is not valid: get new credentials'],
  ['TokenRefreshRequired', 'the credentials have expired: get new ones'],
  [
    'CredentialsProviderError',
    'no credentials were found: give credentials, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  ],
  ['RequestTimeTooSkewed', 'the clock of this machine differs too much from that of the server: set it'],
  ['NoSuchBucket', 'there is no such bucket: make it, or correct bucket, endpoint and region'],
  ['InvalidBucketName', 'that is no name for a bucket: correct bucket'],
  ['PermanentRedirect', 'the bucket is in another region: give its region'],
  ['AuthorizationHeaderMalformed', 'the bucket is in another region: give its region'],
  [
    'NotImplemented',
    'the server lacks something this store needs, such as conditional writes: use one that has it',
  ],
  ['NoSuchUpload', 'nothing came for so long that what had come was given up: put it again'],
  ['SlowDown', 'the server is asked too much and went on saying so: ask less of it, or allow more attempts'],
  ['TimeoutError', 'the server did not answer in time: look at the network, or allow more time in timeouts'],
  ['ECONNREFUSED', 'nothing listens there: start the server, or correct endpoint'],
  ['ENOTFOUND', 'there is no host of that name: correct endpoint and region'],
  ['EAI_AGAIN', 'the name of the host could not be looked up: look at the network'],
]);

/** What servers say when a quota is used up or the disks are full. */
const FULL = new Set([
  'QuotaExceeded',
  'StorageFull',
  'XMinioStorageFull',
  'XMinioAdminBucketQuotaExceeded',
  'TooManyBuckets',
  'EntityTooLarge',
]);
const UNSUPPORTED = 501;
const NO_ROOM = 507;

/** The port's error for what the SDK threw. */
export function storeError(attempt: Attempt, error: unknown): RoutineEngineError {
  const { doing, where } = attempt;
  const name = nameOf(error);
  const text = error instanceof Error && error.message !== name ? ` (${error.message})` : '';
  const message = `Cannot ${doing} at ${where}: ${name}${text}; ${adviceFor(attempt, name, error)}`;
  return new RoutineEngineError(codeOf(name, error), message, { cause: error });
}

/** HTTP status of the answer that was an error; `undefined` when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return metadataOf(error).httpStatusCode;
}

/** Whether the request was sent more than once, so that an earlier one may have been carried out unnoticed. */
export function wasRepeated(error: unknown): boolean {
  return (metadataOf(error).attempts ?? 1) > 1;
}

/** Whether the server refused a request for good: then it did not carry it out, and never will. */
export function isRefusal(error: unknown): boolean {
  const status = statusOf(error instanceof RoutineEngineError ? error.cause : error) ?? 0;
  return status >= 400 && status < 500 && ![408, 409, 429].includes(status);
}

/** Name of the error as the server or the system says it. */
export function nameOf(error: unknown): string {
  const { name, code, Code } = (error ?? {}) as Readonly<Record<string, unknown>>;
  const said = [Code, name === 'Error' ? undefined : name, code, name];
  return said.find((each): each is string => typeof each === 'string' && each !== '') ?? String(error);
}

function codeOf(name: string, error: unknown): ErrorCode {
  return FULL.has(name) || statusOf(error) === NO_ROOM ? 'STORE_FULL' : 'STORE_UNREACHABLE';
}

function adviceFor({ permission }: Attempt, name: string, error: unknown): string {
  if (codeOf(name, error) === 'STORE_FULL') return 'make room, or ask for a larger quota';
  const status = statusOf(error);
  const said = ADVICE.get(name) ?? (status === UNSUPPORTED ? ADVICE.get('NotImplemented') : undefined);
  if (said) return said;
  if (status === 403) return `allow ${permission} to these credentials`;
  if (error instanceof Error && error.message === 'Region is missing')
    return 'give region, or set AWS_REGION';
  if (status === undefined) return 'look at the network between here and the server';
  return status >= 500 ? 'the server failed at every attempt: look at it' : 'look at what the server says';
}

function metadataOf(error: unknown): { httpStatusCode?: number | undefined; attempts?: number | undefined } {
  const { $metadata } = (error ?? {}) as { $metadata?: { httpStatusCode?: number; attempts?: number } };
  return $metadata ?? {};
}
