import type { ComplianceKit } from './kit.js';
import { pipeCloseCases, pipeLossCases } from './message-pipe-close.js';
import { pipeFlowCases } from './message-pipe-flow.js';
import { pipeLeakCases } from './message-pipe-leaks.js';
import { pipeMemoryCases } from './message-pipe-memory.js';
import { pipeFramingCases, pipeLifecycleCases, pipeOrderingCases } from './message-pipe-messages.js';
import {
  type MessagePipeAbilities,
  messagePipeGiven,
  type MessagePipeGiven,
  type MessagePipeSubject,
} from './message-pipe-subject.js';

/**
 * What a {@link MessagePipe} has to do, as data: 54 cases. A transport that is made of pipes by `multiplex` is held to the whole
 * contract by `transportKit`; this one says which promise of the pipe is broken when that fails.
 * @public
 */
export const messagePipeKit: ComplianceKit<MessagePipeSubject, MessagePipeAbilities, MessagePipeGiven> = {
  name: 'message-pipe',
  title: 'a message pipe',
  version: '1.0.0',
  groups: [
    { name: 'lifecycle', title: 'is open', cases: pipeLifecycleCases },
    { name: 'framing', title: 'carries whole messages', cases: pipeFramingCases },
    { name: 'ordering', title: 'keeps order', cases: pipeOrderingCases },
    { name: 'memory', title: 'leaves bytes to their owners', cases: pipeMemoryCases },
    { name: 'backpressure', title: 'has senders wait', cases: pipeFlowCases },
    { name: 'close', title: 'closes', cases: pipeCloseCases },
    { name: 'loss', title: 'tells of a loss', cases: pipeLossCases },
    { name: 'leaks', title: 'leaves nothing behind', cases: pipeLeakCases },
  ],
  capabilitiesOf: (subject) => ({ ...subject.capabilities, cut: subject.cut !== undefined }),
  prepare: messagePipeGiven,
};
