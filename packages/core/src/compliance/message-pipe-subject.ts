import type { Observable } from 'rxjs';
import { LIMITS } from '../model/limits.js';
import type { MessagePipe, MessagePipeCapabilities } from '../ports/message-pipe.js';
import { patternAt } from './byte-pattern.js';
import type { CaseResources } from './case-resources.js';
import { Heard } from './heard.js';
import type { ComplianceCase, ComplianceSubject } from './kit.js';
import { settles } from './turns.js';

/** A pipe with both its ends. @public */
export interface OpenPipe {
  readonly here: MessagePipe;
  readonly there: MessagePipe;
  /** Removes what is left, when both ends are closed. */
  destroy?(): Promise<void> | void;
}

/** The pipe that is judged. @public */
export interface MessagePipeSubject<Pipe extends OpenPipe = OpenPipe> extends ComplianceSubject {
  /** What both ends declare. */
  readonly capabilities: MessagePipeCapabilities;
  /** Opens a pipe. */
  create(): Promise<Pipe> | Pipe;
  /** Breaks what is between the ends, without a goodbye, as a crash does. Leave it out where nothing is. */
  cut?(pipe: NoInfer<Pipe>): Promise<void> | void;
}

/** What a subject can do: decides which cases it has. @public */
export interface MessagePipeAbilities extends MessagePipeCapabilities {
  /** The kit can break what is between the ends. */
  readonly cut: boolean;
}

/** What one case of the pipe kit gets. What it opens is closed behind it. @public */
export interface MessagePipeGiven {
  readonly capabilities: MessagePipeCapabilities;
  /** Aborts when the case is over. */
  readonly signal: AbortSignal;
  /** Longest message that the multiplexer would send. */
  readonly largest: number;
  readonly open: () => Promise<OpenPipe>;
  readonly cut: (pipe: OpenPipe) => Promise<void>;
}

export type MessagePipeCase = ComplianceCase<MessagePipeGiven, MessagePipeAbilities>;

/** Makes what one case works with. */
export function messagePipeGiven(subject: MessagePipeSubject, resources: CaseResources): MessagePipeGiven {
  return {
    capabilities: subject.capabilities,
    signal: resources.signal,
    largest: Math.min(subject.capabilities.largestMessageBytes, LIMITS.chunkBytes),
    open: async () => {
      const pipe = await subject.create();
      resources.defer(async () => {
        for (const end of [pipe.here, pipe.there]) {
          end.close();
          end.resume();
        }
        // That it closes is the matter of cases: one that does not must not hold up all others.
        await settles(Promise.all([pipe.here.closed, pipe.there.closed]), () => 0);
        await pipe.destroy?.();
      });
      return pipe;
    },
    cut: async (pipe) => subject.cut?.(pipe),
  };
}

export function needsCut({ cut }: MessagePipeAbilities): string | undefined {
  return cut ? undefined : 'there is nothing between the ends that could break';
}

/** A message of its own: bytes of the sequence that the seed names. */
export function messageOf(length: number, seed = 0): Uint8Array {
  return patternAt(0, length, seed).slice();
}

/** A message that is a number, and as long as it may be. */
export function numbered(n: number, length = 4): Uint8Array {
  const message = new Uint8Array(length);
  new DataView(message.buffer).setUint32(0, n);
  return message;
}

/** The numbers of messages. */
export function numbersIn(messages: readonly Uint8Array[]): number[] {
  return messages.map(({ buffer, byteOffset }) => new DataView(buffer, byteOffset).getUint32(0));
}

/** Everything that comes in at one end. */
export function hearMessages({
  messages$,
}: {
  readonly messages$: Observable<Uint8Array>;
}): Heard<Uint8Array> {
  return new Heard(messages$);
}

/** Sends messages as fast as the pipe takes them. */
export async function sendAll(pipe: MessagePipe, messages: Iterable<Uint8Array>): Promise<void> {
  for (const message of messages) if (!pipe.send(message)) await pipe.drained();
}
