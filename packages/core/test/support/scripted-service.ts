import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import type { ServiceLinkParts } from '../../src/dispatch/service-link.js';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { EngineEvent } from '../../src/events/engine-event.js';
import { EventFeed } from '../../src/events/event-feed.js';
import type { Body } from '../../src/model/body.js';
import { LIMITS } from '../../src/model/limits.js';
import type { DirectiveHeader, Transport } from '../../src/ports/transport.js';
import { Turns } from '../protocol/memory-pipe.js';
import { ScriptedConnection } from './scripted-connection.js';

const { heartbeatMs, leaseMs } = LIMITS;

/** A service that says just what a test tells it to, over as many connections as are dialled. */
export class ScriptedService {
  readonly turns = new Turns();
  /** Each that was dialled, in order. */
  readonly connections: ScriptedConnection[] = [];
  readonly events: string[] = [];
  readonly logged: string[] = [];
  /** Dials that failed. */
  failed = 0;
  isReachable = true;
  #sequence = 0;

  /** What a link to it is made of. */
  parts(sharesMemory = true): ServiceLinkParts {
    const feed = new EventFeed<EngineEvent>();
    feed.events$.subscribe((event) => this.events.push(event.type));
    const dial = async (): Promise<ScriptedConnection> => {
      if (!this.isReachable) {
        this.failed += 1;
        throw new RoutineEngineError('TRANSPORT_UNREACHABLE', 'nothing is there');
      }
      this.connections.push(new ScriptedConnection());
      return this.connection;
    };
    return {
      ...{ transport: { dial, capabilities: { sharesMemory } } as unknown as Transport, feed },
      ...{ address: 'scripted:service', role: 'client', node: 'client', clock: this.turns },
      ...{ codec: new MsgpackrCodec(), random: { next: () => 0.5 } },
      logger: { log: (level, message) => level !== 'debug' && void this.logged.push(message) },
    };
  }

  /** The latest. */
  get connection(): ScriptedConnection {
    const connection = this.connections.at(-1);
    if (!connection) throw new Error('Nobody has dialled');
    return connection;
  }

  /** What came over the latest connection. */
  get heard(): readonly DirectiveHeader[] {
    return this.connection.sent.map(({ header }) => header);
  }

  async welcome(fields: DirectiveHeader = {}): Promise<void> {
    this.#sequence = 0;
    const session = `session-${this.connections.length}`;
    await this.turns.settle();
    const said = { type: 'welcome', protocol: 1, session, service: 'service', resumed: false };
    this.connection.inbound$.next({ header: { ...said, heartbeatMs, leaseMs, ...fields } });
    await this.turns.settle();
  }

  /** Sends a directive over the latest connection. */
  async say(header: DirectiveHeader, body?: Body): Promise<void> {
    this.#sequence += 1;
    const stamped = { session: `session-${this.connections.length}`, sequence: this.#sequence, ...header };
    this.connection.inbound$.next(body ? { header: stamped, body } : { header: stamped });
    await this.turns.settle();
  }

  async beat(): Promise<void> {
    await this.say({ type: 'v1.heartbeat.check_pulse' });
  }
}
