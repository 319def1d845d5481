/** The project that routine ids belong to. */
export const PROJECT = 'words';
/** Where the service listens. Beyond this machine it needs a token and TLS: see the README of transport-ws. */
export const PORT = Number(process.env['ROUTINE_PORT'] ?? 7700);
export const URL_OF_SERVICE = `ws://127.0.0.1:${PORT}/`;
/** Results that all workers and clients share. */
export const RESULTS = process.env['ROUTINE_RESULTS'] ?? 'results';
