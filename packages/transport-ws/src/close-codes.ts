// Close codes of RFC 6455, section 7.4.1.

/** The connection has done what it was for. */
export const NORMAL = 1000;
/** The process of the peer ends, or a proxy on the way. */
export const GOING_AWAY = 1001;
/** A message was of a kind that is not taken. */
export const NOT_BINARY = 1003;

/** Longest reason of a close frame, in bytes. */
const REASON_BYTES = 123;

/** Whether a close code says that the peer meant to close. */
export function saysGoodbye(code: number): boolean {
  return code === NORMAL || code === GOING_AWAY;
}

/** A reason that a close frame can carry. */
export function closeReason(reason = ''): string {
  const bytes = new TextEncoder().encodeInto(reason, new Uint8Array(REASON_BYTES));
  return reason.slice(0, bytes.read);
}
