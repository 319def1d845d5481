import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers `/healthz` and `/readyz` beside the nodes of a service. Everybody may ask, so it tells nothing else. */
export class Health {
  /** Whether nodes may be sent here. */
  isReady = false;

  readonly answer = ({ method = '', url = '/' }: IncomingMessage, response: ServerResponse): void => {
    const path = url.split('?', 1)[0];
    if (path !== '/healthz' && path !== '/readyz')
      return end(response, 426, 'nodes connect here by WebSocket');
    if (method !== 'GET' && method !== 'HEAD') return end(response, 405, 'only GET and HEAD');
    if (path === '/healthz') return end(response, 200, 'ok');
    return this.isReady ? end(response, 200, 'ready') : end(response, 503, 'not ready');
  };
}

function end(response: ServerResponse, status: number, what: string): void {
  const text = `${what}\n`;
  const headers = {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    // Who asks once in a while holds no connection in between.
    Connection: 'close',
    ...(status === 426 && { Upgrade: 'websocket' }),
  };
  response.writeHead(status, headers).end(text);
}
