import { describe, expect, it } from 'vitest';
import { mailText } from '../src/mail.js';

const mail = (...lines: string[]) => lines.join('\n');

describe('the text of a mail', () => {
  it('has none of the headers, not even the subject or continued lines', () => {
    const raw = mail(
      'From a@b Mon',
      'Subject: secret subject',
      'Received: from x',
      '\tby secret-host',
      '',
      'Hello',
      '',
      'Bye',
    );
    expect(mailText(raw)).toBe('Hello\n\nBye');
  });

  it('takes line ends of both kinds', () => {
    expect(mailText('Subject: x\r\n\r\nHello\r\nyou')).toBe('Hello\nyou');
  });

  it('is empty for a mail that has only headers', () => {
    expect(mailText('Subject: x\nTo: y')).toBe('');
  });

  it('joins the text parts of a multipart mail without their headers and without attachments', () => {
    const raw = mail(
      'Content-Type: multipart/mixed;',
      '\tboundary="-=x"',
      '',
      'This is MIME.',
      '---=x',
      'Content-Type: text/plain; name=secret',
      '',
      'first',
      '---=x',
      'Content-Type: image/png',
      '',
      'PIXELS',
      '---=x',
      '',
      'second',
      '---=x--',
      'epilogue',
    );
    const text = mailText(raw);
    expect(text.split('\n').filter(Boolean)).toEqual(['first', 'second']);
  });

  it('finds the text of a part within a part, and of a forwarded mail without its headers', () => {
    const raw = mail(
      'Content-Type: multipart/mixed; boundary=outer',
      '',
      '--outer',
      'Content-Type: multipart/alternative; boundary=inner',
      '',
      '--inner',
      'Content-Type: text/html',
      '',
      '<b>deep</b>',
      '--inner--',
      '--outer',
      'Content-Type: message/rfc822',
      '',
      'Subject: forwarded secret',
      '',
      'forwarded',
      '--outer--',
    );
    expect(mailText(raw).split('\n').filter(Boolean)).toEqual(['<b>deep</b>', 'forwarded']);
  });

  it('does not take the boundary of an inner part for that of the outer one', () => {
    const raw = mail(
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Type: multipart/alternative; boundary=x.1',
      '',
      '--x.1',
      'Content-Type: text/plain',
      '',
      'the -- --x of it',
      '--x.1--',
      '--x--',
    );
    expect(mailText(raw).trim()).toBe('the -- --x of it');
  });

  it('decodes quoted-printable and base64', () => {
    const quoted = mail('Content-Transfer-Encoding: Quoted-Printable', '', 'a=3Db soft=', 'break caf=E9');
    expect(mailText(quoted)).toBe('a=b softbreak café');
    const base64 = mail(
      'Content-Type: text/html',
      'Content-Transfer-Encoding: base64',
      '',
      'QnV5IG5v',
      'dyE=',
    );
    expect(mailText(base64)).toBe('Buy now!');
  });

  it('keeps the body of a mail that announces parts and has none', () => {
    expect(mailText(mail('Content-Type: multipart/mixed; boundary=x', '', 'Buy now'))).toBe('Buy now');
    expect(mailText(mail('Content-Type: multipart/mixed', '', 'Buy now'))).toBe('Buy now');
  });

  it('survives a mail that nests without end', () => {
    const part = 'Content-Type: message/rfc822\n\n';
    expect(mailText(part.repeat(10_000))).toBe('');
  });
});
