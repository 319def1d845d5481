/** What the command ends with; docs/cli.md explains them. */
export const EXIT = {
  ok: 0,
  /** What was asked for failed: a routine threw, a worker lost its threads, a check found something. */
  failed: 1,
  /** Command line, settings, configuration or arguments were refused. */
  usage: 2,
  /** The service can't be reached, or does not let this node in. */
  unreachable: 3,
  /** No such routine, run or result. */
  notFound: 4,
} as const;

const USAGE = new Set([
  ...['OPTION_INVALID', 'ROUTINE_ID_INVALID', 'ROUTINE_VERSION_INVALID', 'ROUTINE_ID_CONTRADICTS'],
  ...[
    'ROUTINE_MODULE_FAILED',
    'ROUTINE_DUPLICATE',
    'LISTENER_EXPOSED',
    'VALUE_NOT_ENCODABLE',
    'STORE_KEY_INVALID',
  ],
]);
const UNREACHABLE = new Set(['TRANSPORT_UNREACHABLE', 'TRANSPORT_REFUSED', 'TRANSPORT_CLOSED']);
const NOT_FOUND = new Set(['ROUTINE_UNKNOWN', 'ROUTINE_VERSION_UNKNOWN']);

/** What a command ends with that could not do what it was to do. */
export function exitCodeOf(error: unknown): number {
  const code = String((error as { readonly code?: unknown } | null)?.code);
  if (USAGE.has(code) || code.startsWith('PLUGIN_')) return EXIT.usage;
  if (UNREACHABLE.has(code)) return EXIT.unreachable;
  return NOT_FOUND.has(code) ? EXIT.notFound : EXIT.failed;
}
