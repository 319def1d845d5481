import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';

/** How long is waited, in milliseconds. @public */
export interface S3Timeouts {
  /** For a connection. Default 5,000. */
  readonly connectMs?: number;
  /** For the next bytes in either direction of a request that is under way. Default 30,000. */
  readonly idleMs?: number;
}

/** How {@link s3Store} is set up. @public */
export interface S3StoreOptions {
  /** Name of the bucket, which must be there. */
  readonly bucket: string;
  /** What the names of all objects begin with, such as `news/results`; stores of different prefixes know nothing of each other. Default: none. */
  readonly prefix?: string;
  /** Where the server is, such as `http://127.0.0.1:9000`. Default: `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL`, else Amazon S3. */
  readonly endpoint?: string;
  /** Region of the bucket. Default: `us-east-1` with an endpoint, else what the SDK finds, such as `AWS_REGION`. */
  readonly region?: string;
  /** Whether the bucket stands in the path of URLs, not in the host. Default: `true` with an endpoint, else `false`. */
  readonly forcePathStyle?: boolean;
  /** Access key and secret, or a function that gives them. Default: what the SDK finds, such as `AWS_ACCESS_KEY_ID`. */
  readonly credentials?: NonNullable<S3ClientConfig['credentials']>;
  /**
   * A client of your own, which stays open; then `region`, `forcePathStyle`, `credentials`, `timeouts` and `attempts` for
   * single requests are its own. If it has an endpoint, give that too: it is part of the identity.
   */
  readonly client?: S3Client;
  readonly timeouts?: S3Timeouts;
  /** How often a request is made that may succeed later, and a broken download continued without getting on. Default 5. */
  readonly attempts?: number;
  /** Bytes of one part of a large upload, of which about six are in memory. Default 8 MiB, at least 5 MiB. */
  readonly partBytes?: number;
}
