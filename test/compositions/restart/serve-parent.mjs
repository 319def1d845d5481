/** Says something to the parent, and ends when the parent goes. */
export function serveParent(lifecycle, message) {
  process.once('disconnect', () => void lifecycle.shutdown().then(() => process.exit(0)));
  process.send(message);
}
