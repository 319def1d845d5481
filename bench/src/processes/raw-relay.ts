import { createServer } from 'node:net';
import { SocketPipe } from '../socket/socket-pipe.js';
import { connectTo } from '../socket/socket-transport.js';
import { optionsOfParent, serveParent } from './parent.js';

/** A process that passes messages on, both ways: what it is told. */
export interface RawRelayOptions {
  /** Path of the socket to dial for each connection. */
  readonly from: string;
  /** Path of the socket to listen at. */
  readonly to: string;
}

const { from, to } = optionsOfParent<RawRelayOptions>();

function relay(source: SocketPipe, target: SocketPipe): void {
  source.messages$.subscribe({
    next: (message) => {
      if (target.send(message, () => source.recycle(message))) return;
      source.pause();
      const resume = (): void => source.resume();
      target.drained().then(resume, resume);
    },
    complete: () => target.close(),
  });
}

const server = createServer({ pauseOnConnect: true }, (socket) => {
  void connectTo(from).then((dialled) => {
    const [near, far] = [new SocketPipe(socket, to), new SocketPipe(dialled, from)];
    relay(near, far);
    relay(far, near);
  });
}).listen(to);
serveParent(async () => {
  server.close();
});
