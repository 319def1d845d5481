import { hash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import process from 'node:process';
import { isCode } from './file-access.js';

/** Hex digits that stand for where process ids mean the same. */
const PLACE_DIGITS = 12;
const NAME = /^([0-9a-f]{12})\.(\d{1,10})\.[0-9a-f-]{36}\.tmp$/;

/**
 * Stands for this machine since it was started, and for the part of it in which a process id means one process: a
 * container has its own, also one whose name is that of its machine.
 */
const PLACE = hash(
  'sha256',
  [
    os.hostname(),
    textOf(() => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    textOf(() => fs.readlinkSync('/proc/self/ns/pid')),
  ].join('\n'),
).slice(0, PLACE_DIGITS);

/** A new name for a file that this process writes, by which others can tell that it died. */
export function newTemporaryName(): string {
  return `${PLACE}.${process.pid}.${randomUUID()}.tmp`;
}

/** Whether a name is that of a file whose writer is known to be dead; `false` when that cannot be told from here. */
export function isOfDeadWriter(name: string): boolean {
  const [, place, id] = NAME.exec(name) ?? [];
  if (place !== PLACE || id === undefined) return false;
  try {
    process.kill(Number(id), 0);
  } catch (error) {
    return isCode(error, 'ESRCH');
  }
  return false;
}

function textOf(read: () => string): string {
  try {
    return read();
  } catch {
    // Not every system has it; then the name of the machine has to do.
    return '';
  }
}
