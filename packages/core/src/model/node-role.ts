/** What a node is to the service: a worker takes runs, a client only requests them. @public */
export type NodeRole = 'client' | 'worker';
