/**
 * Links nodes of the routine engine by WebSocket.
 * @packageDocumentation
 */
export {
  WS_LIMITS,
  type WsAuth,
  type WsClientOptions,
  type WsClientTls,
  type WsGrant,
  type WsListenerLimits,
  type WsListenerOptions,
  type WsRequest,
} from './options.js';
export { wsListener } from './ws-listener.js';
export { wsTransport } from './ws-plugin.js';
export { WsTransport, type WsTransportOptions } from './ws-transport.js';
