import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Logger } from '../ports/logger.js';
import type { Connection, DirectiveHeader } from '../ports/transport.js';
import { PROTOCOL_VERSIONS, type Greeting, type Hello } from '../protocol/directives.js';

/** The best version that both speak. @throws {@link RoutineEngineError} `PROTOCOL_VERSION` */
export function commonProtocol(hello: Hello): number {
  const common = PROTOCOL_VERSIONS.find((version) => hello.protocols.includes(version));
  if (common !== undefined) return common;
  throw new RoutineEngineError(
    'PROTOCOL_VERSION',
    `${hello.name} speaks protocol ${hello.protocols.join(', ') || 'none'}, the service ${PROTOCOL_VERSIONS.join(', ')}`,
  );
}

/** Sends to a connection that may be gone already, which its own end tells. */
export function sendQuietly(connection: Connection, greeting: Greeting, logger: Logger): void {
  try {
    connection.send({ header: greeting as unknown as DirectiveHeader });
  } catch (error) {
    logger.log('debug', `${greeting.type} to ${connection.peer} was not sent`, { error });
  }
}
