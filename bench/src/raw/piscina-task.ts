/** The same work for piscina. */
export default function noop(n: number): number {
  return n;
}
