import { once } from 'node:events';
import process from 'node:process';

/** Writes data to standard output, no faster than it is read. */
export async function writeOut(chunk: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
}
