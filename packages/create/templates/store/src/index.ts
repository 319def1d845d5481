import { resolve } from 'node:path';
import {
  ADAPTER_API_VERSION,
  CLOCK,
  NODE_IDENTITY,
  provide,
  RESULT_STORE,
  type EnginePlugin,
} from '@routine-engine/core/adapter';
import { FileStore } from './file-store.js';

export { FileStore, type FileStoreParts } from './file-store.js';

/** Keeps results in a directory, which is made when it is not there. */
export function fileStore({ directory }: { readonly directory: string }): EnginePlugin {
  return {
    name: '{{name}}',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [
      provide(
        RESULT_STORE,
        (parts) => {
          const [clock, node] = [parts.get(CLOCK), parts.get(NODE_IDENTITY).name];
          return new FileStore({ directory: resolve(directory), clock, node });
        },
        { stop: (store) => store.close() },
      ),
    ],
  };
}
