import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { OPTION_MUTATIONS } from './option-mutations.ts';

/** One way to break core: in a built file, one text stands in the place of another. */
export interface Mutation {
  readonly name: string;
  /** Below `packages/core/dist`. */
  readonly file: string;
  /** Exactly as it stands there, once. */
  readonly text: string;
  readonly replacement: string;
}

/** Those that can't be made: core has changed, and their texts do not stand in its built files, or more than once. */
export function outdated(mutations: readonly Mutation[]): readonly Mutation[] {
  return mutations.filter(({ file, text }) => {
    const path = fileURLToPath(new URL(`../../../core/dist/${file}`, import.meta.url));
    return !existsSync(path) || readFileSync(path, 'utf8').split(text).length !== 2;
  });
}

/** What the simulation has to notice. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'reports are taken without a valid lease',
    file: 'service/run-ledger.js',
    text: 'const record = this.placement.holderOf(report.lease);\n        if (record?.worker?.node === node && !record.delivery)',
    replacement: 'const record = this.#runs.get(report.runId);\n        if (record && !record.delivery)',
  },
  {
    name: 'hanging is a flag: the first sub-run that returns ends it',
    file: 'context/run-scope.js',
    text: 'if (outstanding.delete(subRun) && outstanding.size === 0 && !this.#ended)',
    replacement: 'if (outstanding.delete(subRun) && !this.#ended)',
  },
  {
    name: 'a run that hangs keeps its slot at the service',
    file: 'service/worker-entry.js',
    text: 'this.#hanging += waits ? 1 : -1;',
    replacement: '',
  },
  {
    name: 'a run that hangs keeps its slot at the worker',
    file: 'worker/held-runs.js',
    text: 'this.#hanging += waits ? 1 : -1;',
    replacement: '',
  },
  {
    name: 'a run that is over keeps its slot at the service',
    file: 'service/worker-entry.js',
    text: 'if (!this.runs.delete(record))',
    replacement: 'if (!this.runs.has(record))',
  },
  {
    name: 'a run that is over keeps its slot at the worker',
    file: 'worker/held-runs.js',
    text: 'this.#inHand.delete(lease);',
    replacement: '',
  },
  {
    name: 'a run that ends while it hangs goes on being counted as hanging',
    file: 'worker/held-runs.js',
    text: 'if (run.hangs)\n            this.#hanging -= 1;',
    replacement: '',
  },
  {
    name: 'nobody waits any longer when a worker becomes free',
    file: 'service/run-outcomes.js',
    text: 'this.#tellCompleted(record, report, body);\n        this.#placement.fill();',
    replacement: 'this.#tellCompleted(record, report, body);',
  },
  {
    name: 'the runs of a lost worker are forgotten',
    file: 'service/run-ledger.js',
    text: "this.#speculation.again(record, toPlainError(error), isSuspect ? 'downfall' : 'blameless');",
    replacement: '',
  },
  {
    name: 'a late pulse means nothing',
    file: 'service/heartbeats.js',
    text: "if (ageMs >= limits.leaseMs)\n        return 'lost';",
    replacement: '',
  },
  {
    name: 'what was cancelled goes on at its worker',
    file: 'worker/held-runs.js',
    text: 'this.#inHand.get(lease)?.cancel.cancel(reason);',
    replacement: '',
  },
  {
    name: 'the service does not pass on that a run is cancelled',
    file: 'service/run-outcomes.js',
    text: "worker.node.post({ type: 'v1.routine.cancel', ...executionOf(record), error });",
    replacement: '',
  },
  {
    name: 'the service keeps the runs of a requester that is gone',
    file: 'service/run-ledger.js',
    text: 'this.#stopAll(requester, toPlainError(error), () => true);',
    replacement: '',
  },
  {
    name: 'requesters do not acknowledge what they have',
    file: 'dispatch/dispatcher.js',
    text: "this.#acknowledgements.add(run);\n            pending.settle({ status: 'DONE'",
    replacement: "pending.settle({ status: 'DONE'",
  },
  {
    name: 'the service does not tell workers what is acknowledged',
    file: 'service/answered-runs.js',
    text: 'if (kept?.waiting === 0)\n            kept.node.acknowledge(kept);',
    replacement: '',
  },
  {
    name: 'a result is told to be kept before it is in the store',
    file: 'cache/kept-results.js',
    text: 'const kept = await this.#put(key, call, { metadata, body: bodyOf({ head, buffers }) });',
    replacement:
      "void this.#put(key, call, { metadata, body: bodyOf({ head, buffers }) });\n            const kept = 'stored';",
  },
  {
    name: 'a directive that comes twice is handled twice',
    file: 'protocol/session.js',
    text: 'if (sequence <= this.#received)\n            return undefined;\n        if (sequence !== this.#received + 1)',
    replacement: 'if (sequence > this.#received + 1)',
  },
  {
    name: 'who joined an equal call gets nothing',
    file: 'service/run-outcomes.js',
    text: 'const readers = followers.filter((follower) => canRead(follower, report));',
    replacement: 'const readers = [];',
  },
  {
    name: 'who waits for a run that executes joins the call in flight of its requester',
    file: 'engine/remote-dispatch-engine.js',
    text: 'const stored = mayBeKept ? await cache.lookUp(withName(call), maker) : undefined;',
    replacement:
      'if (mayBeKept)\n            return asAnswer(call, (await cache.remember(call, maker, host.cancel, compute)).outcome);\n        const stored = undefined;',
  },
  {
    name: 'the store is not asked before a call is run',
    file: 'cache/result-cache.js',
    text: 'if (stored)\n                    this.#land(flight,',
    replacement: 'if (stored === null)\n                    this.#land(flight,',
  },
  {
    name: 'the lease of an equal call is not given back',
    file: 'cache/lease-turn.js',
    text: 'await lease?.release();',
    replacement: '',
  },
  {
    name: 'the time limit of a call goes on after its end',
    file: 'context/call-control.js',
    text: 'this.#timer?.cancel();',
    replacement: '',
  },
  {
    name: 'sub-runs that nobody waits for go on',
    file: 'context/run-scope.js',
    text: 'subRun.abandon(reason);',
    replacement: '',
  },
  {
    name: 'a run that fails is not run again, whatever its retries',
    file: 'engine/retries.js',
    text: 'failures > retry.attempts',
    replacement: 'failures > 0',
  },
  {
    name: 'a worker does not tell what it holds after a loss',
    file: 'worker/held-runs.js',
    text: 'for (const { header, state, detached } of this.#inHand.values())\n            runs.push({ ...header, state, ...(detached && { detached }) });',
    replacement: '',
  },
  {
    name: 'a worker does not tell what it has over after a loss',
    file: 'worker/held-runs.js',
    text: "for (const { header, detached } of this.#over.values())\n            runs.push({ ...header, state: 'finished', ...(detached && { detached }) });",
    replacement: '',
  },
  {
    name: 'a requester does not ask again for what it waits for',
    file: 'dispatch/dispatcher.js',
    text: 'this.#link.post({ ...request, attempt, resumed: true, startedOn: started?.worker });',
    replacement: '',
  },
  {
    name: 'a run that is resumed is placed before workers are back',
    file: 'service/recovery.js',
    text: 'return !this.#isClosed && this.#parts.clock.monotonic() < this.#workersBackAt;',
    replacement: 'return false;',
  },
  {
    name: 'what a worker holds is adopted whatever its lease',
    file: 'service/worker-resync.js',
    text: 'if (target.worker || target.cancelled || isLate || isTaken)',
    replacement: 'if (target.cancelled)',
  },
  {
    name: 'what a worker holds and nobody asks for is kept for ever',
    file: 'service/recovery.js',
    text: 'this.#timers.set(worker, clock.after(unclaimedMs, late));',
    replacement: '',
  },
  {
    name: 'what a worker holds is not matched with what waits for it',
    file: 'service/worker-resync.js',
    text: 'if (!record || !this.adopt(record, { worker, hold }))',
    replacement: '',
  },
  {
    name: 'all placements have the same lease',
    file: 'service/leases.js',
    text: 'this.#last += 1;',
    replacement: '',
  },
  {
    name: 'a node that hears nothing of the service goes on waiting',
    file: 'dispatch/silence-watch.js',
    text: 'if (this.#silentMs >= leaseMs)',
    replacement: 'if (this.#silentMs < 0)',
  },
  {
    name: 'a node that lost its connection does not dial again',
    file: 'dispatch/service-link.js',
    text: 'this.#dialLater(error, clock.monotonic() + reconnectForMs);',
    replacement: '',
  },
  {
    name: 'a gap in the numbers of directives goes unnoticed',
    file: 'protocol/session.js',
    text: 'if (sequence !== this.#received + 1)',
    replacement: 'if (sequence < this.#received + 1)',
  },
  {
    name: 'an outcome that is asked for again is not told',
    file: 'worker/worker-node.js',
    text: 'return kept.reportAgain();',
    replacement: 'return;',
  },
  {
    name: 'a run that a lost message never brought to its worker is waited for',
    file: 'service/worker-resync.js',
    text: "this.#parts.speculation.again(record, error, 'blameless');",
    replacement: '',
  },
  {
    name: 'what a requester does not ask for again is kept for it',
    file: 'service/answered-runs.js',
    text: 'if (toldIn !== requester.connections)',
    replacement: 'if (toldIn < 0)',
  },
  ...OPTION_MUTATIONS,
];
