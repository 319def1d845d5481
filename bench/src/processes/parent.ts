import process from 'node:process';

/** What the parent told this process to do. */
export function optionsOfParent<Options>(): Options {
  return JSON.parse(process.argv[2] ?? '{}') as Options;
}

/**
 * Tells the parent that this process is ready, and ends it when the parent wants no more.
 * @param end - closes what is open.
 * @param answer - answers what the parent asks.
 */
export function serveParent(end: () => Promise<void>, answer?: () => object): void {
  process.on('message', () => process.send?.(answer?.() ?? {}));
  process.once('disconnect', () => {
    end().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
  process.send?.('ready');
}
