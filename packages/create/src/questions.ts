import { createInterface } from 'node:readline';
import { TEMPLATES } from './templates.js';

/** Where answers come from, and where texts go. */
export interface Terminal {
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly output: NodeJS.WritableStream;
  readonly errors: NodeJS.WritableStream;
}

/** What is known already, and need not be asked for. */
export interface Known {
  readonly template: string | undefined;
  readonly folder: string | undefined;
}

const FIRST = 'app';
const FOLDER = 'my-routines';

/** Asks for what is not known. @throws an Error when the input ends before it has answered. */
export async function ask(
  { input, output }: Terminal,
  known: Known,
): Promise<{ readonly template: string; readonly folder: string }> {
  const reader = createInterface({ input, output });
  // Asked of the iterator, which keeps lines that come before their question.
  const lines = reader[Symbol.asyncIterator]();
  const answerTo = async (question: string, usual: string): Promise<string> => {
    // Not prompt(), which fails once all of the answers have come.
    output.write(`${question} (${usual}) `);
    const line = await lines.next();
    if (line.done) throw new Error('Nothing was made: the questions were not answered');
    return line.value.trim() || usual;
  };
  try {
    const folder = known.folder ?? (await answerTo('Folder?', FOLDER));
    if (known.template !== undefined) return { template: known.template, folder };
    const names = Object.keys(TEMPLATES);
    const list = Object.entries(TEMPLATES).map(
      ([name, what], at) => `  ${at + 1} ${name.padEnd(12)} ${what}\n`,
    );
    output.write(list.join(''));
    const answer = await answerTo('Template, by number or name?', FIRST);
    return { template: names[Number(answer) - 1] ?? answer, folder };
  } finally {
    reader.close();
  }
}
