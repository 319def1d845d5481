/**
 * Keeps task results in a directory.
 * @packageDocumentation
 */
export { fsStore, type FsStoreOptions } from './fs-store-plugin.js';
export { FsStore, type FsStoreSettings } from './fs-store.js';
