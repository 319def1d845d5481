// One node of a cluster over Unix sockets: node.mjs service|worker ADDRESS NAME DATABASE. It ends when its input does.
import process from 'node:process';
import { Lifecycle } from '@routine-engine/core';
import { service, systemClock, worker } from '@routine-engine/core/host';
import { sqliteStore } from 'routine-engine-store-sqlite';
import { unixSocketTransport, UnixSocketTransport } from 'routine-engine-transport-unix-socket';

const [role, address, name, file] = process.argv.slice(2);
const listen = () => new UnixSocketTransport({ clock: systemClock }).listen(address);
const plugins =
  role === 'service'
    ? [service({ listeners: [listen] })]
    : [
        unixSocketTransport(address),
        sqliteStore({ file }),
        worker({ modules: [new URL(import.meta.resolve('spam-sweep/routines'))] }),
      ];
const lifecycle = await Lifecycle.init({ project: 'spam-sweep', name, plugins });
console.log('ready');
process.stdin.resume();
process.stdin.once('end', () => void lifecycle.shutdown());
