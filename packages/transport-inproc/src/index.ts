/**
 * The in-process transport, and a cluster embedded in one process.
 * @packageDocumentation
 */
export { embeddedCluster, type EmbeddedClusterOptions } from './embedded-cluster.js';
export { inprocTransport } from './inproc-plugin.js';
export { InprocTransport, type InprocOptions } from './inproc-transport.js';
