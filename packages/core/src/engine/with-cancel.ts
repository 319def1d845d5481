import type { CancelSignal } from '../ports/cancel-signal.js';
import type { RunHost } from '../ports/executor.js';

/** The same host, but the run is cancelled by another signal: that of all who share it. */
export function withCancel(host: RunHost, cancel: CancelSignal, finishesNode = host.finishesNode): RunHost {
  return {
    cancel,
    takesArriving: host.takesArriving,
    finishesNode,
    request: (call, subCancel, requester) => host.request(call, subCancel, requester),
    fetch: (reference) => host.fetch(reference),
    spool: (chunks) => host.spool(chunks),
    starting: () => host.starting(),
    hanging: (waits) => host.hanging(waits),
    progress: (done, total) => host.progress(done, total),
    log: (level, message) => host.log(level, message),
  };
}
