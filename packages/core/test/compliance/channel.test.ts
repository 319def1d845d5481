import { describe, it } from 'vitest';
import { messagePipeKit } from '../../src/compliance/message-pipe.ts';
import type { MessagePipeSubject, OpenPipe } from '../../src/compliance/message-pipe-subject.ts';
import { registerCompliance } from '../../src/compliance/register.ts';
import { transportKit } from '../../src/compliance/transport.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { ChannelPipe } from './channel-pipe.ts';
import { channelSubject } from './channel-transport.ts';

const subject: MessagePipeSubject<OpenPipe & { readonly cut: () => void }> = {
  capabilities: { largestMessageBytes: LIMITS.chunkBytes },
  create: () => {
    const { here, there } = ChannelPipe.pair();
    return { here, there, cut: () => here.cut() };
  },
  cut: (pipe) => pipe.cut(),
};

describe('over a MessageChannel', () => {
  registerCompliance(messagePipeKit, { describe, it }, subject);
  registerCompliance(transportKit, { describe, it }, channelSubject());
});
