import { Subscription } from 'rxjs';
import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { dropBody, type Body } from '../model/body.js';
import { LIMITS } from '../model/limits.js';
import type { Clock } from '../ports/clock.js';
import type { Ids } from '../ports/ids.js';
import type { Logger } from '../ports/logger.js';
import type { Connection, Envelope, Listener } from '../ports/transport.js';
import { CORE_VERSION } from '../protocol/core-version.js';
import type { Directive, Hello, Welcome } from '../protocol/directives.js';
import { readGreeting } from '../protocol/read-directive.js';
import type { Session } from '../protocol/session.js';
import { CodecInUse } from './codec-in-use.js';
import { commonProtocol, sendQuietly } from './handshake.js';
import { NodeSession } from './node-session.js';

interface ReceptionParts {
  readonly name: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** What a node is told of heartbeats. */
  readonly limits: Pick<Welcome, 'heartbeatMs' | 'leaseMs'>;
  /** Name of the codec that nodes must have. Default: that of whoever is connected first. */
  readonly codec: string | undefined;
  readonly onDirective: (node: NodeSession, directive: Directive, body: Body | undefined) => void;
  /** Its connection is gone, and it may come back. */
  readonly onAway: (node: NodeSession) => void;
  readonly onGone: (node: NodeSession) => void;
  /** Whether anything is known of a node that it would miss. */
  readonly isMissed: (node: NodeSession) => boolean;
}

/** Lets nodes in, knows those that come back, and notices when they go. */
export class Reception {
  readonly #parts: ReceptionParts;
  readonly #listeners: Listener[] = [];
  readonly #subscriptions = new Set<Subscription>();
  /** By each session that a node may come back with. */
  readonly #nodes = new Map<string, NodeSession>();
  /** The session before the latest, which a node still has until the welcome reaches it. */
  readonly #earlier = new Map<NodeSession, string>();
  readonly #codec: CodecInUse;
  #numbered = 0;
  #isClosing = false;

  constructor(parts: ReceptionParts) {
    this.#parts = parts;
    this.#codec = new CodecInUse(parts.codec);
  }

  /** Every node, those that are away too. */
  *nodes(): IterableIterator<NodeSession> {
    for (const [session, node] of this.#nodes) if (node.session.id === session) yield node;
  }

  /** Takes nodes from a listener, until `close`. */
  serve(listener: Listener): void {
    this.#listeners.push(listener);
    this.#subscriptions.add(listener.connections$.subscribe((connection) => this.#greet(connection)));
  }

  /** Takes no more nodes and closes every connection. Nobody is told that nodes go. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.all(this.#listeners.map((listener) => listener.close()));
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  /** Gives a node up, whether or not it is connected. */
  dismiss(node: NodeSession, why: string): void {
    if (node.isGone) return;
    node.isGone = true;
    this.#forgetEarlier(node);
    this.#nodes.delete(node.session.id);
    this.#codec.left(node);
    void node.session.connection.close(why);
    if (!this.#isClosing) this.#parts.onGone(node);
  }

  #greet(connection: Connection): void {
    const { clock, logger } = this.#parts;
    let node: NodeSession | undefined;
    let session: Session | undefined;
    const late = clock.after(LIMITS.handshakeMs, () => void connection.close('no hello came'));
    const subscription = new Subscription();
    this.#subscriptions.add(subscription);
    subscription.add(
      connection.inbound$.subscribe({
        next: (envelope) => {
          try {
            if (node && session) return this.#receive(node, session, envelope);
            late.cancel();
            node = this.#admit(connection, envelope);
            session = node.session;
          } catch (error) {
            const who = node?.name ?? connection.peer;
            logger.log('warn', `${who} sent what can't be read; its connection closes`, { error });
            // Of what was lost on its way the connection is to blame, of all else the node.
            if (node) node.isLeaving = session?.hasGap !== true;
            else this.#refuse(connection, error as Error);
            void connection.close('malformed');
          }
        },
        complete: () => {
          late.cancel();
          this.#subscriptions.delete(subscription);
          if (node && node.session === session) this.#ended(node);
        },
      }),
    );
  }

  #admit(connection: Connection, { header, body }: Envelope): NodeSession {
    dropBody(body);
    const hello = readGreeting(header);
    if (hello.type !== 'hello') {
      const message = `A connection began with ${hello.type}, not with hello`;
      throw new RoutineEngineError('PROTOCOL_MALFORMED', message);
    }
    if (connection.roles && !connection.roles.includes(hello.role)) {
      const allowed = connection.roles.join(', ') || 'nothing';
      const message = `${hello.name} greeted as a ${hello.role}; its credentials are for ${allowed}`;
      throw new RoutineEngineError('TRANSPORT_REFUSED', message);
    }
    const protocol = commonProtocol(hello);
    this.#codec.check(hello);
    const { ids, name, logger, limits } = this.#parts;
    const id = ids.next();
    const known = this.#known(hello);
    const node = known ?? this.#newNode(id, hello, connection);
    if (known && hello.resume !== undefined) this.#resume(known, hello.resume, id, connection);
    this.#nodes.set(id, node);
    this.#codec.joined(node, hello);
    const { heartbeatMs, leaseMs } = limits;
    const welcome: Welcome = {
      ...{ type: 'welcome', protocol, session: id, service: name, core: CORE_VERSION },
      ...{ resumed: known !== undefined, heartbeatMs, leaseMs },
    };
    sendQuietly(connection, welcome, logger);
    return node;
  }

  #newNode(id: string, hello: Hello, connection: Connection): NodeSession {
    const { clock, logger } = this.#parts;
    this.#numbered += 1;
    return new NodeSession(id, hello, connection, { number: this.#numbered, clock, logger });
  }

  /** The node that comes back: no other knows the id of its session. */
  #known({ resume, role, name }: Hello): NodeSession | undefined {
    const node = resume === undefined ? undefined : this.#nodes.get(resume);
    return node?.role === role && node.name === name && !node.isLeaving ? node : undefined;
  }

  /** @param had - the session that it has, which it may come back with once more when the welcome is lost. */
  #resume(node: NodeSession, had: string, id: string, connection: Connection): void {
    const wasAway = node.isAway;
    for (const session of [node.session.id, this.#earlier.get(node)])
      if (session !== undefined && session !== had) this.#nodes.delete(session);
    this.#earlier.set(node, had);
    node.resume(id, connection, this.#parts.clock.monotonic());
    // What it heard over the connection before is not known, nor whether all that it said was heard.
    if (!wasAway) this.#parts.onAway(node);
  }

  #forgetEarlier(node: NodeSession): void {
    const earlier = this.#earlier.get(node);
    if (earlier === undefined) return;
    this.#nodes.delete(earlier);
    this.#earlier.delete(node);
  }

  #refuse(connection: Connection, error: Error): void {
    sendQuietly(connection, { type: 'refused', error: toPlainError(error) }, this.#parts.logger);
  }

  #receive(node: NodeSession, session: Session, envelope: Envelope): void {
    // What comes over a connection that it has given up, or after it was given up itself, is not listened to.
    if (node.session !== session || node.isGone) return dropBody(envelope.body);
    const directive = session.receive(envelope);
    if (!directive) return;
    if (this.#earlier.has(node)) this.#forgetEarlier(node);
    if (directive.type === 'v1.node.leaving') node.isLeaving = true;
    else this.#parts.onDirective(node, directive, envelope.body);
  }

  #ended(node: NodeSession): void {
    if (node.isGone || this.#isClosing) return;
    const why = 'its connection ended';
    if (node.isLeaving || !this.#parts.isMissed(node)) return this.dismiss(node, why);
    node.isAway = true;
    if (node.role === 'client') node.lastPulseAt = this.#parts.clock.monotonic();
    this.#parts.onAway(node);
  }
}
