import { bodyOf, type Connection, type Envelope } from '@routine-engine/core/adapter';
import { InprocTransport } from '@routine-engine/transport-inproc';
import { describe, expect, it } from 'vitest';
import { settle } from './fixtures/virtual-clock.ts';

async function pair(
  windowBytes?: number,
): Promise<{ here: Connection; there: Connection; transport: InprocTransport }> {
  const transport = new InprocTransport(windowBytes === undefined ? {} : { windowBytes });
  const listener = await transport.listen('inproc:service');
  const accepted = new Promise<Connection>((resolve) => listener.connections$.subscribe(resolve));
  const here = await transport.dial('inproc:service');
  return { here, there: await accepted, transport };
}

const envelope = (n: number, bytes = 0): Envelope => ({
  header: { n },
  ...(bytes > 0 && { body: bodyOf({ head: new Uint8Array(bytes), buffers: [] }) }),
});

function hear(connection: Connection): unknown[] {
  const heard: unknown[] = [];
  connection.inbound$.subscribe({
    next: ({ header }) => heard.push(header['n']),
    complete: () => heard.push('end'),
  });
  return heard;
}

describe('an in-process connection', () => {
  it('carries envelopes both ways, in order', async () => {
    const { here, there } = await pair();
    const [heardHere, heardThere] = [hear(here), hear(there)];
    for (let n = 0; n < 5; n += 1) {
      here.send(envelope(n));
      there.send(envelope(-n));
    }
    await settle();
    expect(heardThere).toEqual([0, 1, 2, 3, 4]);
    expect(heardHere).toEqual([-0, -1, -2, -3, -4]);
  });

  it('keeps what was sent before anybody listened', async () => {
    const { here, there } = await pair();
    here.send(envelope(1));
    await settle();
    const heard = hear(there);
    await settle();
    expect(heard).toEqual([1]);
  });

  it('never delivers in the turn of the sender', async () => {
    const { here, there } = await pair();
    const heard = hear(there);
    here.send(envelope(1));
    expect(heard).toEqual([]);
    await settle();
    expect(heard).toEqual([1]);
  });

  it('says when the window of the peer is full, and when it has room again', async () => {
    const { here, there } = await pair(1_000);
    expect(here.full).toBe(false);
    expect(here.send(envelope(1))).toBe(true);
    expect(here.send(envelope(2, 2_000))).toBe(false);
    expect(here.full).toBe(true);
    let drained = false;
    const waiting = here.drained().then(() => (drained = true));
    await settle();
    expect(drained).toBe(false);
    const heard = hear(there);
    await waiting;
    expect(heard).toEqual([1, 2]);
    expect(here.full).toBe(false);
    await here.drained();
  });

  it('delivers what was sent before it closed, then ends on both sides', async () => {
    const { here, there } = await pair();
    here.send(envelope(1));
    await here.close();
    const [heardHere, heardThere] = [hear(here), hear(there)];
    await settle();
    expect(heardThere).toEqual([1, 'end']);
    expect(heardHere).toEqual(['end']);
  });

  it('refuses to send once it is closed, by either side', async () => {
    const { here, there } = await pair();
    await here.close();
    await here.close();
    for (const end of [here, there]) {
      expect(() => end.send(envelope(1))).toThrow(expect.objectContaining({ code: 'TRANSPORT_CLOSED' }));
      await expect(end.drained()).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
    }
  });

  it('tells those who wait for the window that it closes', async () => {
    const { here, there } = await pair(1);
    here.send(envelope(1));
    const waiting = here.drained();
    await there.close();
    await expect(waiting).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
  });

  it('tells its state, and its end once', async () => {
    const { here, there } = await pair();
    const states: unknown[] = [];
    there.state$.subscribe({ next: (state) => states.push(state), complete: () => states.push('complete') });
    await here.close();
    expect(states).toEqual(['open', 'closed', 'complete']);
  });

  it('hands out no Subject', async () => {
    const { here } = await pair();
    expect(here.state$).not.toHaveProperty('next');
    expect((here.state$ as unknown as { source?: unknown }).source).toBeUndefined();
  });
});

describe('an in-process transport', () => {
  it('reaches only its own listeners', async () => {
    const { transport } = await pair();
    await expect(new InprocTransport().dial('inproc:service')).rejects.toMatchObject({
      code: 'TRANSPORT_UNREACHABLE',
    });
    await expect(transport.dial('inproc:other')).rejects.toMatchObject({
      code: 'TRANSPORT_UNREACHABLE',
      message: expect.stringContaining('inproc:service'),
    });
  });

  it('refuses an address that is taken, and one that is none', async () => {
    const { transport } = await pair();
    await expect(transport.listen('inproc:service')).rejects.toMatchObject({
      code: 'TRANSPORT_ADDRESS_IN_USE',
    });
    await expect(transport.listen('http://service')).rejects.toMatchObject({ code: 'TRANSPORT_UNREACHABLE' });
  });

  it('frees the address and closes every connection when a listener closes', async () => {
    const transport = new InprocTransport();
    const listener = await transport.listen('inproc:service');
    const connection = await transport.dial('inproc:service');
    const heard = hear(connection);
    await listener.close();
    await settle();
    expect(heard).toEqual(['end']);
    await expect(transport.listen('inproc:service')).resolves.toBeDefined();
  });

  it('does not dial when the signal is aborted', async () => {
    const { transport } = await pair();
    const signal = AbortSignal.abort(new Error('no more'));
    await expect(transport.dial('inproc:service', { signal })).rejects.toThrow('no more');
  });
});
