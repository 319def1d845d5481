// C0 without tab and newline, DEL, C1.
// oxlint-disable-next-line no-control-regex -- these are what it is about
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** Text of other nodes, such as names and messages, without what a terminal would take for commands. */
export function printable(text: string): string {
  return text.replaceAll(CONTROLS, '\ufffd');
}
