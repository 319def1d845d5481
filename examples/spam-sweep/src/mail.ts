/** Mails nest (a forward of a forward); hostile ones nest without end. */
const MAX_NESTING = 8;

interface MailPart {
  /** Header lines with continuation lines joined. */
  readonly headers: string;
  readonly body: string;
}

/**
 * The text that a reader of the mail sees, without any header: of a multipart mail all its text parts, and quoted-printable
 * and base64 decoded. Attachments are left out.
 *
 * @param raw - the mail as it was stored, headers first.
 */
export function mailText(raw: string): string {
  return partText(raw.includes('\r') ? raw.replaceAll('\r\n', '\n') : raw, 0);
}

function partText(raw: string, nesting: number): string {
  const part = splitPart(raw);
  const type = header(part, 'content-type') ?? 'text/plain';
  const boundary = /^multipart\//i.test(type) ? /boundary="?([^";\s]+)/i.exec(type)?.[1] : undefined;
  if (boundary !== undefined && nesting < MAX_NESTING) {
    // What precedes the first boundary is a note to readers without MIME, written by software.
    const [preamble = '', ...inner] = part.body.split(boundaryLine(boundary));
    // Spam that announces a boundary and never uses it has its text in the "preamble".
    if (inner.length === 0) return preamble;
    return inner
      .filter((section) => !section.startsWith('--'))
      .map((section) => partText(section.replace(/^[ \t]*\n/, ''), nesting + 1))
      .join('\n');
  }
  if (/^message\/rfc822/i.test(type) && nesting < MAX_NESTING) return partText(part.body, nesting + 1);
  if (!/^(?:text|multipart)\b/i.test(type)) return '';
  return decodeTransfer(part);
}

/** A whole line: boundaries of nested parts often begin with that of the part around them. */
function boundaryLine(boundary: string): RegExp {
  return new RegExp(`^--${boundary.replaceAll(/\W/g, '\\$&')}(?=--|[ \\t]*$)`, 'm');
}

function splitPart(raw: string): MailPart {
  // A part may have no headers at all: then it begins with the empty line.
  if (raw.startsWith('\n')) return { headers: '', body: raw.slice(1) };
  const end = raw.indexOf('\n\n');
  const headers = end < 0 ? raw : raw.slice(0, end);
  return { headers: headers.replaceAll(/\n[ \t]+/g, ' '), body: end < 0 ? '' : raw.slice(end + 2) };
}

function header(part: MailPart, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.+)$`, 'im').exec(part.headers)?.[1];
}

function decodeTransfer(part: MailPart): string {
  const encoding = header(part, 'content-transfer-encoding')?.trim().toLowerCase();
  if (encoding === 'base64') return Buffer.from(part.body, 'base64').toString('latin1');
  if (encoding === 'quoted-printable') {
    return part.body
      .replaceAll(/=[ \t]*\n/g, '')
      .replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return part.body;
}
