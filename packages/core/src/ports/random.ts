/** Chance, so that a simulation owns it. @public */
export interface Random {
  /** A number from 0 up to, not including, 1. Not for secrets. */
  next(): number;
}
