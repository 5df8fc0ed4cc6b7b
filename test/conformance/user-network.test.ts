import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { buildMipsProgram } from '@bootlab/emulator/testkit';
import type { NetworkAccess } from '@bootlab/emulator/user';
import { HostInput, runProgram } from '@bootlab/emulator/user';
import { describeWith } from '../support/requirements.js';

const source = join(new URL('user', import.meta.url).pathname, 'net.c');

const program = (): Promise<string> =>
  buildMipsProgram({ name: 'user-net', byteOrder: 'big', sources: [source], flags: ['-O1', '-static'] });

interface Run {
  output: string;
  errors: string;
  result: { kind: string; code?: number };
}

async function run(
  network: NetworkAccess,
  args: readonly string[],
  { input = new Uint8Array(), onOutput }: { input?: Uint8Array; onOutput?: (text: string) => void } = {},
): Promise<Run> {
  const stdin = new HostInput();
  stdin.push(input);
  stdin.end();
  let [output, errors] = ['', ''];
  const result = await runProgram({
    arch: 'mips',
    program: await program(),
    args,
    network,
    files: {
      root: '/',
      stdin,
      stdout: (bytes) => {
        output += Buffer.from(bytes).toString('latin1');
        onOutput?.(output);
      },
      stderr: (bytes) => (errors += Buffer.from(bytes).toString()),
    },
  });
  return { output, errors, result };
}

async function serving<T>(server: Server, use: (port: number) => Promise<T>): Promise<T> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await use((server.address() as AddressInfo).port);
  } finally {
    server.close();
  }
}

/** Sends everything back, once the client has sent everything. */
const echo = (): Server =>
  createServer({ allowHalfOpen: true }, (connection) => {
    const parts: Buffer[] = [];
    connection.on('data', (part) => parts.push(part));
    connection.on('end', () => connection.end(Buffer.concat(parts)));
    connection.on('error', () => undefined);
  });

const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, (_, i) => (i * 7 + (i >> 8)) & 0xff);

describeWith('cross-mips', 'the network of user-mode programs', () => {
  it('is a loopback interface inside the guest, or not even that', async () => {
    await serving(echo(), async (port) => {
      expect((await run('loopback', ['refused', `${port}`])).output).toBe(
        'world: Network is unreachable\nown: Connection refused\ndatagram: Network is unreachable\nbind: 0\nbind own: 0\n',
      );
      expect((await run('none', ['refused', `${port}`])).output).toBe(
        'world: Network is unreachable\nown: Network is unreachable\ndatagram: Network is unreachable\n' +
          'bind: 0\nbind own: Cannot assign requested address\n',
      );
    });
  });

  it.each([10, 3_000_000])('with the host’s network carries %d bytes there and back', async (count) => {
    const input = bytes(count);
    await serving(echo(), async (port) => {
      const { output, errors, result } = await run('host', ['client', `${port}`], { input });
      expect(errors).toBe('from 127.0.0.1 1\nto 127.0.0.1 1\n');
      expect(Buffer.from(output, 'latin1').equals(Buffer.concat([input, Buffer.from('end: 0\n')]))).toBe(true);
      expect(result).toMatchObject({ kind: 'exited', code: 0 });
    });
  });

  it('connects without waiting where asked', async () => {
    await serving(echo(), async (port) => {
      const { output } = await run('host', ['nonblocking', `${port}`], { input: Buffer.from('text\n') });
      expect(output).toBe(
        'connect: Operation now in progress\nagain: Operation already in progress\npoll: 1\nSO_ERROR: 0\ntext\nend: 0\n',
      );
    });
  });

  it('tells of a refused connection, at once or later', async () => {
    const port = await serving(createServer(), (free) => Promise.resolve(free));
    const refused = await run('host', ['client', `${port}`]);
    expect(refused).toMatchObject({ errors: 'connect: Connection refused\n', result: { code: 1 } });
    const later = await run('host', ['nonblocking', `${port}`]);
    expect(later.output).toContain('poll: 1\nSO_ERROR: 146\n'); // ECONNREFUSED on MIPS
  });

  it('delivers what a program sent before it ended', async () => {
    let received = 0;
    let ended: () => void = () => undefined;
    const end = new Promise<void>((resolve) => (ended = resolve));
    const server = createServer((connection) => {
      connection.on('data', (part) => (received += part.length));
      connection.on('end', () => ended());
    });
    await serving(server, async (port) => {
      expect((await run('host', ['leave', `${port}`])).output).toBe('sent: 100000\n');
      await end;
    });
    expect(received).toBe(100_000);
  });

  it('lets a program serve the host', async () => {
    const answers: Promise<string>[] = [];
    const ask = async (port: number, text: string): Promise<string> => {
      const connection = connect(port, '127.0.0.1');
      connection.write(text);
      let answer = '';
      for await (const part of connection) answer += String(part);
      return answer;
    };
    const { output } = await run('host', ['serve'], {
      onOutput: (text) => {
        const port = /^port (\d+)\n$/.exec(text)?.[1];
        if (port) answers.push(ask(Number(port), 'first'), ask(Number(port), 'first'));
      },
    });
    expect(output.split('\n').slice(1, 3)).toEqual(['request first from 127.0.0.1', 'request first from 127.0.0.1']);
    expect((await Promise.all(answers)).toSorted()).toEqual(['answer 0 to first', 'answer 1 to first']);
  });

  it('carries datagrams, and keeps those between the guest’s own sockets inside', async () => {
    const server = createSocket('udp4', (message, { port, address }) =>
      server.send(`echo ${String(message)}`, port, address),
    );
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const { output } = await run('host', ['datagrams', `${port}`]);
    server.close();
    expect(output).toBe('echo one from 127.0.0.1 1\nbind: 0\nconnect: 0\nsend: 3\necho two\nwrite: 6\nwithin\n');
  });
});
