import { Contents } from '../../src/cache/contents.js';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { Cancellation } from '../../src/context/cancellation.js';
import { Dispatcher, type DispatchObserver } from '../../src/dispatch/dispatcher.js';
import { ServiceLink } from '../../src/dispatch/service-link.js';
import type { EngineEvent } from '../../src/events/engine-event.js';
import { EventFeed } from '../../src/events/event-feed.js';
import type { EncodedCall } from '../../src/model/call.js';
import type { Encoded } from '../../src/model/encoded.js';
import type { Labels } from '../../src/model/labels.js';
import { LIMITS } from '../../src/model/limits.js';
import type { Outcome } from '../../src/model/outcome.js';
import type { ResultStore } from '../../src/ports/result-store.js';
import type { HeldRun } from '../../src/protocol/directives.js';
import { Service } from '../../src/service/service.js';
import { Turns, type MemoryPipe } from '../protocol/memory-pipe.js';
import { PipedTransport } from './piped-transport.js';
import { ScriptedPeer } from './scripted-peer.js';
import { memorySpool, sharedStore } from './shared-store.js';

/** A call that was dispatched, and what became of it. */
export interface Dispatched {
  readonly outcome: Promise<Outcome>;
  readonly cancellation: Cancellation;
  /** What its observer heard. */
  readonly heard: string[];
}

interface WorkerScript {
  readonly store?: string;
  readonly slots?: number;
  readonly routines?: readonly string[];
  readonly labels?: Labels;
  /** The session that it comes back with. */
  readonly resume?: unknown;
  /** What it holds when it comes back. */
  readonly holds?: readonly HeldRun[];
}

/** A requester: a real link and dispatcher. */
export interface Requester {
  readonly link: ServiceLink;
  readonly pipe: MemoryPipe;
  dispatch(runId: string, args: Encoded, extra?: Partial<EncodedCall>): Dispatched;
}

const STEP_MS = 100;

/** A real service, and nodes that reach it over pipes in memory. */
export class PipedCluster {
  readonly turns = new Turns();
  readonly transport = new PipedTransport(this.turns);
  service: Service;
  readonly logged: string[] = [];
  readonly #links: ServiceLink[] = [];
  readonly #queuedRuns: number | undefined;
  #made = 0;
  readonly #logger = {
    log: (level: string, message: string) => void this.logged.push(`${level} ${message}`),
  };

  private constructor(queuedRuns: number | undefined) {
    this.#queuedRuns = queuedRuns;
    this.service = this.#newService();
  }

  #newService(): Service {
    const queuedRuns = this.#queuedRuns;
    return new Service({
      ...{ name: 'service', clock: this.turns, ids: { next: () => `id-${(this.#made += 1)}` } },
      ...{ logger: this.#logger, feed: new EventFeed<EngineEvent>() },
      ...(queuedRuns !== undefined && { queuedRuns }),
    });
  }

  static async start(queuedRuns?: number): Promise<PipedCluster> {
    const cluster = new PipedCluster(queuedRuns);
    cluster.service.serve(await cluster.transport.listen('piped:service'));
    return cluster;
  }

  /** Ends the service as a crash would: nothing of what it knew is left, and what is on its way is lost. */
  async crash(): Promise<void> {
    this.transport.cutAll();
    await this.service.close();
    await this.turns.settle();
  }

  /** Starts another service at the same address. */
  async restart(): Promise<void> {
    this.service = this.#newService();
    this.service.serve(await this.transport.listen('piped:service'));
  }

  /** Lets time pass, with all that is due in between. */
  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= STEP_MS)
      await this.turns.advance(Math.min(left, STEP_MS));
  }

  /** A node that greets and says nothing more by itself. */
  client(name = 'client', resume?: unknown): Promise<ScriptedPeer> {
    return ScriptedPeer.dial(this.transport, this.turns, { role: 'client', name, resume });
  }

  async worker(name: string, options: WorkerScript = {}): Promise<ScriptedPeer> {
    const { store, slots = 1, routines = ['tname:test:train:1.0.0'], labels, resume, holds } = options;
    const peer = await ScriptedPeer.dial(this.transport, this.turns, { role: 'worker', name, resume });
    const offers = routines.map((routineId) => ({ routineId }));
    if (holds) await peer.say({ type: 'v1.worker.holds', runs: holds });
    await peer.say({ type: 'v1.worker.ready', routines: offers, slots, inbox: 0, store, labels });
    return peer;
  }

  async requester(
    store: ResultStore = sharedStore('own', this.turns),
    requestsInFlight?: number,
  ): Promise<Requester> {
    const { turns } = this;
    const feed = new EventFeed<EngineEvent>();
    const link = new ServiceLink({
      ...{ transport: this.transport, address: 'piped:service', role: 'client', node: 'requester' },
      ...{ codec: new MsgpackrCodec(), clock: turns, logger: this.#logger, feed },
      random: { next: () => 0.5 },
    });
    this.#links.push(link);
    const contents = new Contents({ store, spool: memorySpool(), clock: turns, feed, node: 'requester' });
    const dispatcher = new Dispatcher(link, contents, requestsInFlight);
    const pipe = this.transport.pipes.length;
    await turns.until(link.open());
    return {
      link,
      pipe: this.transport.pipes[pipe] as MemoryPipe,
      dispatch: (runId, args, extra = {}) => dispatchOne(dispatcher, runId, args, extra),
    };
  }

  /** Bodies that a test left unread are waited for as long as connections do. */
  async close(): Promise<void> {
    const closed = Promise.all([...this.#links.map((link) => link.close()), this.service.close()]);
    await this.turns.settle();
    await this.turns.advance(LIMITS.drainMs);
    await closed;
  }
}

function dispatchOne(
  dispatcher: Dispatcher,
  runId: string,
  args: Encoded,
  extra: Partial<EncodedCall>,
): Dispatched {
  const cancellation = new Cancellation();
  const heard: string[] = [];
  const observer: DispatchObserver = {
    accepted: () => heard.push('accepted'),
    waiting: () => heard.push('waiting'),
    retrying: (attempt, error) => heard.push(`retrying ${attempt} ${error.code}`),
    starting: () => heard.push('starting'),
    progress: () => heard.push('progress'),
    log: () => heard.push('log'),
  };
  const routineId = 'tname:test:train:1.0.0';
  const call: EncodedCall = { runId, rootRunId: runId, routineId, attempt: 1, arguments: args, ...extra };
  return { outcome: dispatcher.dispatch(call, observer, cancellation), cancellation, heard };
}
