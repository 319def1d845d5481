/**
 * Every code this project can throw: when it happens, and whether the same call may be tried again unchanged.
 * Codes are stable: they change only with a major version. Messages may change at any time.
 * @public
 */
export const ERRORS = {
  ROUTINE_ID_INVALID: { retry: false, when: 'A routine id or name is not of the form that ids have.' },
  ROUTINE_ID_CONTRADICTS: {
    retry: false,
    when: 'A part of a routine id differs from its context, such as the project.',
  },
  ROUTINE_VERSION_INVALID: { retry: false, when: 'A version is neither x.y.z nor x.y.z-dev.' },
  ROUTINE_DUPLICATE: { retry: false, when: 'Two different functions were defined under one routine id.' },
  ROUTINE_UNKNOWN: { retry: false, when: 'No routine of that name is defined where it should run.' },
  ROUTINE_VERSION_UNKNOWN: {
    retry: false,
    when: 'The routine is defined, but not in the version asked for.',
  },
  ROUTINE_BODY_INVALID: {
    retry: false,
    when: 'What was given to define.task or define.workflow is not a function.',
  },
  ROUTINE_THREW_NON_ERROR: { retry: false, when: 'A routine threw something that is not an Error.' },
  ROUTINE_MODULE_FAILED: {
    retry: false,
    when: 'A module with routines could not be loaded in a background thread.',
  },
  TASK_CALLED_ROUTINE: { retry: false, when: 'A task called a routine; only workflows may.' },
  OPTION_INVALID: { retry: false, when: 'An option has a value outside what it allows.' },
  NO_CURRENT_RUN: { retry: false, when: 'currentRun() was called outside a routine.' },

  VALUE_NOT_ENCODABLE: {
    retry: false,
    when: 'A value has a part that cannot be carried exactly; the path names it.',
  },
  VALUE_TOO_DEEP: { retry: false, when: 'A value is nested deeper than the limit.' },
  SERIALIZER_UNKNOWN: {
    retry: false,
    when: 'Bytes name a serializer that is not registered where they are read.',
  },
  SERIALIZER_DUPLICATE: { retry: false, when: 'Two serializers were registered under one key.' },
  BYTES_MALFORMED: {
    retry: false,
    when: 'Bytes are not what the codec writes: cut short, changed or of another format.',
  },

  RUN_CANCELLED: { retry: false, when: 'The run was cancelled; cause holds the reason given.' },
  RUN_TIMEOUT: { retry: false, when: 'The run took longer than its timeoutMs, all attempts included.' },
  ATTEMPT_TIMEOUT: { retry: true, when: 'One attempt of the run took longer than its attemptTimeoutMs.' },
  QUEUE_TIMEOUT: { retry: true, when: 'No worker took the run within its queueTimeoutMs.' },
  RECURSIVE_CALL: {
    retry: false,
    when: 'A run would wait for itself, or calls are nested deeper than callDepth.',
  },
  RUN_NOT_SUBMITTED: {
    retry: false,
    when: 'The result of a run was asked for by its id, but it was called and not submitted.',
  },
  RUN_UNKNOWN: {
    retry: false,
    when: 'The service does not know a detached run, or its outcome no more: it is kept for a while, and not by another service.',
  },
  RESULT_NOT_KEPT: {
    retry: false,
    when: 'The result of a detached run is larger than the service keeps (detachedResultBytes).',
  },
  QUEUE_FULL: {
    retry: true,
    when: 'As many runs wait at the service as it may keep (queuedRuns, queuedBytes).',
  },
  ARGUMENTS_MISSING: {
    retry: true,
    when: 'The service had to have the arguments of a run once more, and its requester did not send them.',
  },
  RUN_POISONED: { retry: false, when: 'The run brought down as many workers as maxDeliveries allows.' },
  WORKER_BUSY: { retry: true, when: 'A worker had no slot for a run; the service places it elsewhere.' },
  WORKER_LOST: { retry: true, when: 'The worker went away while it held the run.' },
  THREAD_OUT_OF_MEMORY: { retry: false, when: 'The background thread reached its memory limit in this run.' },
  THREAD_EXITED: { retry: false, when: 'The background thread ended while the run was going on.' },

  TRIGGER_TOO_DEEP: {
    retry: false,
    when: 'More triggers than allowed, one after the other, led to a run: one of them leads back to itself.',
  },

  LIFECYCLE_AMBIGUOUS: { retry: false, when: 'A routine was called while several lifecycles are open.' },
  LIFECYCLE_CLOSED: {
    retry: false,
    when: 'A routine was called after its lifecycle was shut down, or while it shut down.',
  },
  LIFECYCLE_STOP_FAILED: {
    retry: false,
    when: 'Parts of a lifecycle did not stop cleanly; errors holds each failure.',
  },
  PLUGIN_DUPLICATE: { retry: false, when: 'Two plugins provide the same part.' },
  PLUGIN_MISSING: { retry: false, when: 'A plugin needs a part that no plugin provides.' },
  PLUGIN_INCOMPATIBLE: { retry: false, when: 'A plugin was made for another version of the core API.' },
  PLUGIN_INVALID: { retry: false, when: 'Something in the plugins list is not a plugin.' },
  PLUGIN_START_FAILED: { retry: false, when: 'A part could not be built or started; cause holds why.' },

  PROTOCOL_MALFORMED: { retry: false, when: 'A directive is not of the form the protocol prescribes.' },
  PROTOCOL_VERSION: { retry: false, when: 'Two nodes have no protocol version in common.' },
  CODEC_MISMATCH: {
    retry: false,
    when: 'A node has another codec than the nodes of its service, so they could not read its values.',
  },
  TRANSPORT_UNREACHABLE: { retry: true, when: 'Nothing listens at the address.' },
  TRANSPORT_ADDRESS_IN_USE: { retry: false, when: 'Something listens at the address already.' },
  TRANSPORT_REFUSED: {
    retry: false,
    when: 'The peer does not let this node in: token, certificate or role do not fit.',
  },
  LISTENER_EXPOSED: {
    retry: false,
    when: 'A listener would be open to other machines without authentication, or in plain text.',
  },
  TRANSPORT_CLOSED: { retry: true, when: 'The connection is closed.' },

  STORE_UNREACHABLE: { retry: true, when: 'The store could not be read or written.' },
  STORE_FULL: {
    retry: true,
    when: 'The store has no room for a result or a blob, or can keep none of that kind.',
  },
  STORE_KEY_INVALID: {
    retry: false,
    when: 'The key of a result, or the digest of a blob, is not 64 lower-case hex digits.',
  },
  STORE_CLOSED: { retry: false, when: 'The store was used after close().' },

  REFERENCE_UNREACHABLE: {
    retry: false,
    when: 'A reference names a store that this node does not have, or a result that the store has no more.',
  },
  REFERENCE_NOT_KEPT: {
    retry: false,
    when: 'A reference was asked for, but nothing could keep the result.',
  },
  REFERENCE_NOT_BINARY: {
    retry: false,
    when: 'ref.stream() was asked of a result that is neither bytes nor a stream.',
  },
  CONTENT_MISSING: { retry: true, when: 'The bytes of a value are no longer where they were kept.' },
  CONTENT_CORRUPT: { retry: true, when: 'The bytes of a value are not those that were kept.' },

  INTERNAL: { retry: false, when: 'A state that should not be possible; please report it.' },
} as const satisfies Record<string, { readonly retry: boolean; readonly when: string }>;

/** A stable error code; see {@link ERRORS}. @public */
export type ErrorCode = keyof typeof ERRORS;
