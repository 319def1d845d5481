import { createRequire } from 'node:module';

/** Version of this package, as nodes tell it one another. */
export const CORE_VERSION: string = (
  createRequire(import.meta.url)('@routine-engine/core/package.json') as { readonly version: string }
).version;
