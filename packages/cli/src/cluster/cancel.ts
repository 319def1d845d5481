import process from 'node:process';
import { EXIT } from '../exit-codes.js';
import { writeOut } from '../output/write-out.js';
import type { GivenFlags } from '../settings/settings.js';
import { askService } from './ask-service.js';

/**
 * Cancels runs, and prints the ids of those that were in hand.
 * @returns the exit code: not found, when one of them was not.
 */
export async function cancel(
  runIds: readonly string[],
  options: { readonly reason?: string } & GivenFlags,
): Promise<number> {
  const { reason = 'cancelled by routine cancel' } = options;
  const results = await askService(options, ({ runs }) =>
    Promise.all(runIds.map((runId) => runs.cancel(runId, reason))),
  );
  const [cancelled, missing] = [true, false].map((was) =>
    runIds.filter((_, index) => results[index] === was),
  );
  for (const runId of cancelled ?? []) await writeOut(`${runId}\n`);
  for (const runId of missing ?? []) process.stderr.write(`No run ${runId} is in hand\n`);
  return missing?.length === 0 ? EXIT.ok : EXIT.notFound;
}
