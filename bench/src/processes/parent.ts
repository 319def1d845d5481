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
export function serveParent<Question extends object>(
  end: () => Promise<void>,
  answer: (question: Question) => object | Promise<object> = () => ({}),
): void {
  const fail = (error: unknown): never => {
    console.error(error);
    process.exit(1);
  };
  process.on('message', (question: Question) => {
    Promise.resolve(question)
      .then(answer)
      .then((answered) => void process.send?.(answered), fail);
  });
  process.once('disconnect', () => void end().then(() => process.exit(0), fail));
  process.send?.('ready');
}
