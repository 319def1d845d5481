import { isDevelopmentVersion } from '../model/routine-id.js';
import type { EncodedCall, RememberControl } from '../model/call.js';
import type { CacheOptions } from '../model/routine-definition.js';
import type { Codec } from '../ports/codec.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import { withoutPaths } from './without-paths.js';

/** Whether the result of a call is to be looked up and kept. */
export function isRemembered(call: RoutineCall): boolean {
  return call.id.kind === 'task' && (call.options?.cache ?? call.definition?.options.cache) !== false;
}

/** The cache options of a call on top of its definition's. */
export function cacheOptionsOf({ options, definition }: RoutineCall): CacheOptions {
  const [defined, called] = [definition?.options.cache, options?.cache];
  return { ...(typeof defined === 'object' && defined), ...(typeof called === 'object' && called) };
}

/**
 * The digest by which the result of a call is looked up.
 * @throws as {@link encodeCall} does; what the call's own `key` throws.
 */
export function argumentsDigestOf(call: RoutineCall, cache: CacheOptions, codec: Codec): string {
  const { key, ignore } = cache;
  if (key) {
    const own = (key as (...args: readonly unknown[]) => unknown)(...call.args);
    // Under another shape than any list of arguments.
    return codec.digest({ key: own }, { path: 'cache.key(...args)' });
  }
  return codec.digest(ignore ? withoutPaths(call.args, ignore) : call.args, { path: 'args' });
}

function rememberControlOf(call: RoutineCall, { ttlMs, verify }: CacheOptions): RememberControl | undefined {
  const refresh = (call.options?.cache ?? call.definition?.options.cache) === 'refresh';
  if (!refresh && ttlMs === undefined && !verify) return undefined;
  return { ...(refresh && { refresh }), maxAgeMs: ttlMs, ...(verify && { verifyRate: verify }) };
}

const NO_OPTIONS: CacheOptions = {};

/**
 * Encodes a call of user code. The buffers are views of the caller's values: copy them before the next await.
 * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` or `VALUE_TOO_DEEP`, naming the path from `args` on.
 */
export function encodeCall(
  call: RoutineCall,
  run: Pick<EncodedCall, 'runId' | 'rootRunId' | 'routineId'> & { readonly parentRunId: string | undefined },
  codec: Codec,
): EncodedCall {
  const remembered = isRemembered(call);
  const cache = remembered ? cacheOptionsOf(call) : NO_OPTIONS;
  const queueTimeoutMs = call.options?.queueTimeoutMs ?? call.definition?.options.queueTimeoutMs;
  return {
    runId: run.runId,
    rootRunId: run.rootRunId,
    routineId: run.routineId,
    attempt: 1,
    arguments: codec.encode(call.args, { path: 'args' }),
    parentRunId: run.parentRunId,
    answer: call.answer,
    ...(remembered && {
      argumentsDigest: argumentsDigestOf(call, cache, codec),
      remember: rememberControlOf(call, cache),
    }),
    queueTimeoutMs,
  };
}

/**
 * Which side knows the key of a remembered result: the requester, or, for a version that still changes, whoever
 * executes it, since only he knows the source that runs.
 */
export function keyIsKnownByExecutor(routineVersion: string | undefined): boolean {
  return routineVersion === undefined || isDevelopmentVersion(routineVersion);
}
