/**
 * Keeps task results in a SQLite database.
 * @packageDocumentation
 */
import { resolve } from 'node:path';
import {
  ADAPTER_API_VERSION,
  CLOCK,
  NODE_IDENTITY,
  provide,
  RESULT_STORE,
  type EnginePlugin,
} from '@routine-engine/core/adapter';
import { SqliteStore } from './sqlite-store.js';

export { SqliteStore, type SqliteStoreParts } from './sqlite-store.js';

/** Keeps task results in a SQLite database, which is made when it is not there. @param options - `file`: its path. */
export function sqliteStore({ file }: { readonly file: string }): EnginePlugin {
  return {
    name: 'routine-engine-store-sqlite',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [
      provide(
        RESULT_STORE,
        (parts) => {
          const [clock, node] = [parts.get(CLOCK), parts.get(NODE_IDENTITY).name];
          return new SqliteStore({ file: resolve(file), clock, node });
        },
        { stop: (store) => store.close() },
      ),
    ],
  };
}
