/**
 * Keeps task results in Amazon S3, or any server that speaks its protocol.
 * @packageDocumentation
 */
export { s3Store } from './s3-store-plugin.js';
export type { S3StoreOptions, S3Timeouts } from './s3-options.js';
export { S3Store, type S3StoreSettings } from './s3-store.js';
