import { isDevelopmentVersion } from '../model/routine-id.js';
import type { EncodedCall, RememberControl, RetryControl } from '../model/call.js';
import { LIMITS } from '../model/limits.js';
import type { CacheOptions, RetryOptions } from '../model/routine-definition.js';
import type { Codec } from '../ports/codec.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import { withoutPaths } from './without-paths.js';

/** Whether the result of a call is to be looked up and kept. */
export function isRemembered(call: RoutineCall): boolean {
  return call.id.kind === 'task' && (call.options?.cache ?? call.definition?.options.cache) !== false;
}

const NO_OPTIONS: CacheOptions = {};

/** The cache options of a call on top of its definition's. */
export function cacheOptionsOf({ options, definition }: RoutineCall): CacheOptions {
  const [defined, called] = [definition?.options.cache, options?.cache];
  if (typeof defined !== 'object' && typeof called !== 'object') return NO_OPTIONS;
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

/** Whether a call has options that only the way by bytes heeds: without them it may take the shorter one. */
export function isAttended({ options, definition }: RoutineCall): boolean {
  const defined = definition?.options;
  return (
    (options?.retries ?? defined?.retries) !== undefined ||
    (options?.attemptTimeoutMs ?? defined?.attemptTimeoutMs) !== undefined
  );
}

/** The retry options of a call on top of its definition's; `undefined` when it is run once. */
export function retryOptionsOf({ options, definition }: RoutineCall): RetryOptions | undefined {
  const [defined, called] = [definition?.options.retries, options?.retries];
  const wanted = called ?? defined;
  if (wanted === undefined || wanted === 0) return undefined;
  const retries = { ...asRetryOptions(defined), ...asRetryOptions(wanted) };
  return retries.attempts > 0 ? retries : undefined;
}

function asRetryOptions(retries: number | RetryOptions | undefined): RetryOptions {
  return typeof retries === 'object' ? retries : { attempts: retries ?? 0 };
}

function retryControlOf(call: RoutineCall): RetryControl | undefined {
  const retries = retryOptionsOf(call);
  if (!retries) return undefined;
  const { attempts, backoffMs, factor, maxBackoffMs, jitter, nonRetryable, retryIf } = retries;
  return {
    attempts,
    backoffMs: backoffMs ?? LIMITS.retryBackoffMs,
    factor: factor ?? 2,
    maxBackoffMs: maxBackoffMs ?? LIMITS.retryMaxBackoffMs,
    jitter: jitter ?? 'full',
    // A list of the caller's: what he changes later changes nothing here.
    nonRetryable: nonRetryable && [...nonRetryable],
    ...(retryIf && { asks: true }),
  };
}

/**
 * Encodes a call of user code. The buffers are views of the caller's values: copy them before the next await.
 * @param run - its `priority` is that of the run that calls.
 * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` or `VALUE_TOO_DEEP`, naming the path from `args` on.
 */
export function encodeCall(
  call: RoutineCall,
  run: Pick<
    EncodedCall,
    'runId' | 'rootRunId' | 'routineId' | 'depth' | 'submitted' | 'priority' | 'triggeredBy' | 'triggerDepth'
  > & {
    readonly parentRunId: string | undefined;
  },
  codec: Codec,
): EncodedCall {
  const remembered = isRemembered(call);
  const cache = remembered ? cacheOptionsOf(call) : NO_OPTIONS;
  const queueTimeoutMs = call.options?.queueTimeoutMs ?? call.definition?.options.queueTimeoutMs;
  const priority = call.options?.priority ?? call.definition?.options.priority ?? run.priority;
  const encoded = codec.encode(call.args, { path: 'args' });
  // Each name by itself, also where there is nothing to say: objects put together of others take several times as long.
  return {
    runId: run.runId,
    rootRunId: run.rootRunId,
    routineId: run.routineId,
    attempt: 1,
    arguments: encoded,
    parentRunId: run.parentRunId,
    answer: call.answer,
    argumentsDigest: remembered ? argumentsDigestOf(call, cache, codec) : undefined,
    remember: remembered ? rememberControlOf(call, cache) : undefined,
    queueTimeoutMs,
    attemptTimeoutMs: call.options?.attemptTimeoutMs ?? call.definition?.options.attemptTimeoutMs,
    speculateAfterMs: call.options?.speculateAfterMs ?? call.definition?.options.speculateAfterMs,
    retry: retryControlOf(call),
    depth: run.depth,
    submitted: run.submitted,
    // What is as usual is left out, since all of it travels.
    priority: priority || undefined,
    labels: call.options?.labels ?? call.definition?.options.labels,
    serializers: encoded.serializers,
    detached: call.options?.detached || undefined,
    triggeredBy: run.triggeredBy,
    triggerDepth: run.triggerDepth,
  };
}

/**
 * Which side knows the key of a remembered result: the requester, or, for a version that still changes, whoever
 * executes it, since only he knows the source that runs.
 */
export function keyIsKnownByExecutor(routineVersion: string | undefined): boolean {
  return routineVersion === undefined || isDevelopmentVersion(routineVersion);
}
