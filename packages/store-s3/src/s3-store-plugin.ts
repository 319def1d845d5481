import { CLOCK, type EnginePlugin, NODE_IDENTITY, provide, RESULT_STORE } from '@routine-engine/core/adapter';
import { assertOptions } from './s3-client.js';
import type { S3StoreOptions } from './s3-options.js';
import { S3Store } from './s3-store.js';

/**
 * Keeps task results in a bucket of Amazon S3, or of a server that speaks its protocol.
 *
 * @example
 * ```ts
 * await using lifecycle = await Lifecycle.init({ plugins: [s3Store({ bucket: 'results', region: 'eu-central-1' })] });
 * ```
 * @throws {@link RoutineEngineError} `OPTION_INVALID`. A bucket that cannot be reached is told with the first result.
 * @public
 */
export function s3Store(options: S3StoreOptions): EnginePlugin {
  assertOptions(options);
  return {
    name: '@routine-engine/store-s3',
    api: '^0.1.0',
    parts: [
      provide(
        RESULT_STORE,
        (parts) => {
          const clock = parts.get(CLOCK);
          return new S3Store({ ...options, now: () => clock.now(), node: parts.get(NODE_IDENTITY).name });
        },
        { stop: (store) => store.close() },
      ),
    ],
  };
}
