import {
  CLOCK,
  type EnginePlugin,
  NODE_IDENTITY,
  provide,
  RESULT_STORE,
  RoutineEngineError,
} from '@routine-engine/core/adapter';
import { FsStore } from './fs-store.js';

/** How {@link fsStore} is set up. @public */
export interface FsStoreOptions {
  /**
   * Where the results are kept, such as `/var/lib/news/results`. Made, with everything above it, when it is not there.
   * Every process that uses the same directory shares its results.
   */
  readonly dir: string;
  /**
   * Whether a result counts as kept only when it would outlast a power cut. Without it a put takes about half the time,
   * and a power cut can lose the results of the last seconds, but never leave a wrong one. Default `true`.
   */
  readonly fsync?: boolean;
  /**
   * Whether processes that share nothing but the directory agree on who computes a result, so that the others wait for it
   * and don't compute it too. Default `true`.
   */
  readonly leases?: boolean;
}

/**
 * Keeps task results in a directory.
 *
 * @example
 * ```ts
 * await using lifecycle = await Lifecycle.init({ plugins: [fsStore({ dir: './results' })] });
 * ```
 * @throws {@link RoutineEngineError} `OPTION_INVALID`. A directory that cannot be used makes `Lifecycle.init` reject.
 * @public
 */
export function fsStore(options: FsStoreOptions): EnginePlugin {
  const { dir, fsync = true, leases = true } = options;
  if (typeof dir !== 'string' || dir === '' || dir.includes('\0')) {
    throw new RoutineEngineError(
      'OPTION_INVALID',
      'fsStore needs the path of a directory as dir, such as ./results',
    );
  }
  for (const [name, value] of Object.entries({ fsync, leases })) {
    if (typeof value === 'boolean') continue;
    const message = `${name} of fsStore is true or false, not ${String(value)}`;
    throw new RoutineEngineError('OPTION_INVALID', message);
  }
  return {
    name: '@routine-engine/store-fs',
    api: '^0.1.0',
    parts: [
      provide(
        RESULT_STORE,
        (parts) => {
          const clock = parts.get(CLOCK);
          const node = parts.get(NODE_IDENTITY).name;
          return new FsStore({ dir, fsync, leases, now: () => clock.now(), node });
        },
        { stop: (store) => store.close() },
      ),
    ],
  };
}
