import { InprocListener } from '../inproc-listener.js';
import type { SimulatedProcess } from './simulated-process.js';

/** Listens in one process. */
export class SimulatedListener extends InprocListener {
  readonly process: SimulatedProcess;

  constructor(address: string, process: SimulatedProcess, onClose: () => void) {
    super(address, onClose);
    this.process = process;
  }
}
