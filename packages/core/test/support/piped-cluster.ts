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

/** A requester: a real link and dispatcher. */
export interface Requester {
  readonly link: ServiceLink;
  readonly pipe: MemoryPipe;
  dispatch(runId: string, args: Encoded, extra?: Partial<EncodedCall>): Dispatched;
}

/** A real service, and nodes that reach it over pipes in memory. */
export class PipedCluster {
  readonly turns = new Turns();
  readonly transport = new PipedTransport(this.turns);
  readonly service: Service;
  readonly logged: string[] = [];
  readonly #logger = {
    log: (level: string, message: string) => void this.logged.push(`${level} ${message}`),
  };

  private constructor(queuedRuns: number | undefined) {
    let made = 0;
    this.service = new Service({
      ...{ name: 'service', clock: this.turns, ids: { next: () => `id-${(made += 1)}` } },
      ...{ logger: this.#logger, feed: new EventFeed<EngineEvent>() },
      ...(queuedRuns !== undefined && { queuedRuns }),
    });
  }

  static async start(queuedRuns?: number): Promise<PipedCluster> {
    const cluster = new PipedCluster(queuedRuns);
    cluster.service.serve(await cluster.transport.listen('piped:service'));
    return cluster;
  }

  /** A node that greets and says nothing more by itself. */
  client(name = 'client'): Promise<ScriptedPeer> {
    return ScriptedPeer.dial(this.transport, this.turns, 'client', name);
  }

  async worker(
    name: string,
    options: {
      readonly store?: string;
      readonly slots?: number;
      readonly routines?: readonly string[];
      readonly labels?: Labels;
    } = {},
  ): Promise<ScriptedPeer> {
    const { store, slots = 1, routines = ['tname:test:train:1.0.0'], labels } = options;
    const peer = await ScriptedPeer.dial(this.transport, this.turns, 'worker', name);
    const offers = routines.map((routineId) => ({ routineId }));
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
    });
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
    const closed = this.service.close();
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
