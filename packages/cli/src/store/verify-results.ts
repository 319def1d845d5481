import { verifyStore, type VerifyReport } from '@routine-engine/core/host';
import { EXIT } from '../exit-codes.js';
import { bytesText } from '../output/quantities.js';
import { writeOut } from '../output/write-out.js';
import type { GivenFlags } from '../settings/settings.js';
import { withStore } from './with-store.js';

/** Reads all of a store. @returns the exit code: failed, when something is damaged. */
export async function verifyResults(options: { readonly json?: boolean } & GivenFlags): Promise<number> {
  const report = await withStore(options, ({ store }) => verifyStore(store));
  await writeOut(options.json ? `${JSON.stringify(report)}\n` : textOf(report));
  const { results, blobs } = report;
  return results.damaged + results.incomplete + blobs.damaged === 0 ? EXIT.ok : EXIT.failed;
}

function textOf({ results, blobs, byteLength }: VerifyReport): string {
  return [
    `results  ${results.whole} whole, ${results.damaged} damaged and put aside, ${results.incomplete} incomplete and deleted`,
    `blobs    ${blobs.whole} whole, ${blobs.damaged} damaged and put aside`,
    `read     ${bytesText(byteLength)}`,
  ]
    .map((line) => `${line}\n`)
    .join('');
}
