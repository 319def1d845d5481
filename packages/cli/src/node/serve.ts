import process from 'node:process';
import { EXIT } from '../exit-codes.js';
import { writeOut } from '../output/write-out.js';
import type { GivenFlags } from '../settings/settings.js';
import { hearingStopSignals } from '../stop-signals.js';
import { commandContext } from './context.js';
import { type OpenService, openService } from './open-service.js';

/**
 * Is a service until a signal stops it. Its address goes to standard output, once nodes can connect.
 * @returns the exit code.
 */
export async function serve(flags: GivenFlags): Promise<number> {
  const context = await commandContext(flags);
  let service: OpenService | undefined;
  const stop = (signal: string): void => {
    service?.retire();
    process.stderr.write(`${signal}: stops; nodes are told, and look for the next service at this address\n`);
  };
  return hearingStopSignals(stop, async (first) => {
    service = await openService(context);
    await writeOut(`${service.url}\n`);
    await first;
    await service.close();
    return EXIT.ok;
  });
}
