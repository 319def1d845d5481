import type { ComplianceKit } from './kit.js';
import { backpressureCases } from './transport-backpressure.js';
import { cancelCases } from './transport-cancel.js';
import { closeCases } from './transport-close.js';
import { eventCases } from './transport-events.js';
import { failingBodyCases } from './transport-failing-bodies.js';
import { framingCases } from './transport-framing.js';
import { transportGiven } from './transport-given.js';
import { hostileCases } from './transport-hostile.js';
import { halfCloseCases, interleavingCases } from './transport-interleaving.js';
import { leakCases } from './transport-leaks.js';
import { lifecycleCases } from './transport-lifecycle.js';
import { crashCases, halfOpenCases } from './transport-loss.js';
import { loadCases, orderingCases } from './transport-ordering.js';
import { reconnectCases } from './transport-return.js';
import type { TransportAbilities, TransportGiven, TransportSubject } from './transport-subject.js';

/**
 * Proves that a {@link Transport} keeps its promises. Every case has a place of its own, so that they may run at once and in any
 * order.
 *
 * @example
 * ```ts
 * import { describe, it } from 'vitest';
 * registerCompliance(transportKit, { describe, it }, {
 *   capabilities: { ordered: true, largestBodyBytes: Infinity, sharesMemory: false },
 *   create: () => ({ listening: new MyTransport(), address: () => 'my:anywhere' }),
 * });
 * ```
 * @public
 */
export const transportKit: ComplianceKit<TransportSubject, TransportAbilities, TransportGiven> = {
  name: 'transport',
  title: 'a transport',
  version: '1.0.0',
  groups: [
    { name: 'lifecycle', title: 'listens and dials', cases: lifecycleCases },
    { name: 'events', title: 'tells its state', cases: eventCases },
    { name: 'framing', title: 'carries every byte', cases: framingCases },
    { name: 'ordering', title: 'keeps order', cases: orderingCases },
    { name: 'load', title: 'carries much both ways', cases: loadCases },
    { name: 'backpressure', title: 'has senders wait', cases: backpressureCases },
    { name: 'interleaving', title: 'lets nobody wait for others', cases: interleavingCases },
    {
      name: 'half-close',
      title: 'ends bodies on their own',
      cases: [...halfCloseCases, ...failingBodyCases],
    },
    { name: 'close', title: 'closes', cases: closeCases },
    { name: 'cancel', title: 'gives up what is cancelled', cases: cancelCases },
    { name: 'reconnect', title: 'connects again', cases: reconnectCases },
    { name: 'crash', title: 'loses connections', cases: crashCases },
    { name: 'half-open', title: 'bears silent links', cases: halfOpenCases },
    { name: 'hostile', title: 'bears hostile peers', cases: hostileCases },
    { name: 'leaks', title: 'leaves nothing behind', cases: leakCases },
  ],
  capabilitiesOf: (subject) => ({
    ...subject.capabilities,
    link: subject.link !== undefined,
    raw: subject.raw !== undefined,
  }),
  prepare: transportGiven,
};
