import { appendFileSync, readFileSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import process from 'node:process';

/** Where the processes of a cluster write what they do: one line each, whole and in order, whoever is killed. */
const FILE = process.env['CHAOS_JOURNAL'] ?? '';
/** Names of tasks that wait after they have begun, as a JSON list. It is replaced as a whole. */
const HELD = process.env['CHAOS_HELD'] ?? '';

/** @param {object} entry */
export function note(entry) {
  appendFileSync(FILE, `${JSON.stringify({ ...entry, pid: process.pid, at: Date.now() })}\n`);
}

/**
 * Waits as long as the tasks of a name are held.
 * @param {string} name
 * @param {AbortSignal} signal
 */
export async function whileHeld(name, signal) {
  if (HELD === '' || !isHeld(name)) return;
  for await (const { filename } of watch(dirname(HELD), { signal }))
    if (filename === basename(HELD) && !isHeld(name)) return;
}

/** @param {string} name */
function isHeld(name) {
  return JSON.parse(readFileSync(HELD, 'utf8')).includes(name);
}
