import type {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
} from '@aws-sdk/client-s3';

type Stack = GetObjectCommand['middlewareStack'];
type Command = GetObjectCommand | ListMultipartUploadsCommand | ListObjectsV2Command | ListPartsCommand;

/**
 * Notes when the server answered a command, by the server's clock: so that clocks of different machines need not agree.
 * @returns what tells it once the command was answered, in milliseconds since 1970; NaN when the server did not say.
 */
export function answerTimeOf(command: Command): () => number {
  let date = '';
  // What is added looks at no input and no output, so that it fits every command.
  const stack = command.middlewareStack as Stack;
  stack.add(
    (next) => async (args) => {
      const result = await next(args);
      const { headers } = result.response as { headers?: Readonly<Record<string, string>> };
      date = headers?.['date'] ?? '';
      return result;
    },
    { step: 'deserialize', name: 'answerTime' },
  );
  return () => Date.parse(date);
}
