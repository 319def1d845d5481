import type { ExecutionPolicy } from '../ports/execution-policy.js';

/** Every call runs in this process. Default without a transport. @public */
export const everythingHere: ExecutionPolicy = { name: 'everything-here', decide: () => 'here' };

/**
 * What a script starts runs here, what a running routine starts is sent away. Default with a transport. A routine
 * that is not defined here is sent away too.
 * @public
 */
export const subRoutinesRemote: ExecutionPolicy = {
  name: 'sub-routines-remote',
  decide: (call) => (call.nested || !call.defined ? 'remote' : 'here'),
};

/** Every call is sent to the service. @public */
export const everythingRemote: ExecutionPolicy = { name: 'everything-remote', decide: () => 'remote' };
