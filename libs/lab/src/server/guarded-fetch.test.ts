import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import {
  guardedFetch,
  guardedPost,
  isPublicAddress,
  type GuardedFetchOptions,
  type GuardedPostOptions,
  type Resolver,
} from './guarded-fetch.js';

jest.setTimeout(60_000); // a busy machine must not fail them

// No test leaves this machine: names resolve through a table, and the only server is a local one.

let server: Server;
let port: number;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const requests: IncomingMessage[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests.push(request);
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const table =
  (names: Record<string, string[]>): Resolver =>
  (host) =>
    Promise.resolve((names[host] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 })));

const resolve = table({ allowed: ['127.0.0.1'], private: ['127.0.0.1'], metadata: ['169.254.169.254'] });
const get = (url: string, options: Partial<GuardedFetchOptions> = {}) =>
  guardedFetch(url, { maxBytes: 1000, timeMs: 30_000, allowedHosts: ['allowed'], resolve, ...options });
const at = (host: string, path = '/file') => `http://${host}:${port}${path}`;

describe('public addresses', () => {
  it.each(['8.8.8.8', '1.1.1.1', '193.99.144.80', '2606:4700::1111', '2a02:8109::1'])('%s is one', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    ['this host', '0.0.0.0'],
    ['loopback', '127.0.0.1'],
    ['loopback beside it', '127.8.8.8'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '192.168.1.1'],
    ['carrier-grade NAT', '100.64.0.1'],
    ['link-local, where clouds keep metadata', '169.254.169.254'],
    ['multicast', '224.0.0.1'],
    ['broadcast', '255.255.255.255'],
    ['benchmarking', '198.18.0.1'],
    ['documentation', '192.0.2.1'],
    ['unspecified in IPv6', '::'],
    ['loopback in IPv6', '::1'],
    ['link-local in IPv6', 'fe80::1'],
    ['unique local', 'fd00:ec2::254'],
    ['IPv4 mapped into IPv6', '::ffff:127.0.0.1'],
    ['IPv4 mapped, in hexadecimal', '::ffff:a9fe:a9fe'],
    ['public IPv4 mapped', '::ffff:8.8.8.8'],
    ['IPv4 compatible', '::127.0.0.1'],
    ['NAT64', '64:ff9b::7f00:1'],
    ['6to4', '2002:7f00:1::'],
    ['Teredo', '2001:0:7f00:1::'],
    ['no address at all', 'localhost'],
  ])('%s is none (%s, %s)', (_, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('a download', () => {
  it('gives the bytes, the place and the announced size', async () => {
    answer = (_, response) => response.setHeader('content-length', 5).end('bytes');
    const download = await get(at('allowed'));
    expect(download.sizeBytes).toBe(5);
    expect(download.url.href).toBe(at('allowed'));
    expect((await buffer(download.body)).toString()).toBe('bytes');
  });

  it('sends no credentials, and asks for the bytes as they are', async () => {
    answer = (_, response) => response.end();
    await buffer((await get(at('allowed'))).body);
    const headers = requests.at(-1)?.headers;
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('cookie');
    expect(headers?.['accept-encoding']).toBe('identity');
  });

  it.each([
    ['ftp', 'ftp://allowed/file', 'not fetched'],
    ['file', 'file:///etc/passwd', 'not fetched'],
    ['data', 'data:text/plain,x', 'not fetched'],
    ['no URL', 'nonsense', 'is no address'],
    ['credentials', 'http://user:secret@allowed/', 'user name or password'],
  ])('refuses %s', async (_, url, message) => {
    await expect(get(url)).rejects.toThrow(message);
  });

  it.each([
    ['a name in a private network', 'private'],
    ['a literal address', '127.0.0.1'],
    ['a literal IPv6 address', '[::1]'],
    ['an IPv4 address mapped into IPv6', '[::ffff:127.0.0.1]'],
    ['an address in decimal', '2130706433'],
    ['an address in hexadecimal', '0x7f000001'],
    ['an address in octal', '0177.0.0.1'],
    ['a short address', '127.1'],
  ])('refuses %s, and never connects', async (_, host) => {
    const before = requests.length;
    answer = (_request, response) => response.end('secret');
    await expect(get(at(host))).rejects.toThrow('not on the public internet');
    expect(requests).toHaveLength(before);
  });

  it('refuses a name that has a private address among public ones', async () => {
    const mixed = table({ mixed: ['8.8.8.8', '10.0.0.1'] });
    await expect(get(at('mixed'), { resolve: mixed })).rejects.toThrow('(10.0.0.1)');
  });

  it('refuses link-local addresses even for an allowed host', async () => {
    await expect(get(at('metadata'), { allowedHosts: ['metadata'] })).rejects.toThrow('(169.254.169.254)');
    await expect(get(at('[fe80::1]'), { allowedHosts: ['fe80::1'] })).rejects.toThrow('(fe80::1)');
  });

  it('allows a host on one port only when the operator says so', async () => {
    answer = (_, response) => response.end('x');
    await buffer((await get(at('allowed'), { allowedHosts: [`Allowed:${port}`] })).body);
    await expect(get(at('allowed'), { allowedHosts: ['allowed:1'] })).rejects.toThrow('not on the public internet');
  });

  it('checks the address that it connects to, not one it saw before', async () => {
    // DNS rebinding: the name is public when somebody looks first, and private when the connection is made.
    const answers = [['8.8.8.8'], ['127.0.0.1']];
    const looked: string[] = [];
    const rebinding: Resolver = (host) => {
      looked.push(host);
      return table({ rebind: answers.shift() ?? ['127.0.0.1'] })(host);
    };
    await rebinding('rebind'); // whoever checks first
    answer = (_, response) => response.end('secret');
    await expect(get(at('rebind'), { resolve: rebinding })).rejects.toThrow('(127.0.0.1)');
    expect(looked).toEqual(['rebind', 'rebind']);
  });

  it('looks a name up once per connection: what it checked is what it connects to', async () => {
    let looked = 0;
    const counting: Resolver = (host) => {
      looked++;
      return resolve(host);
    };
    answer = (_, response) => response.end('x');
    await buffer((await get(at('allowed'), { resolve: counting })).body);
    expect(looked).toBe(1);
  });

  it('says what cannot be reached', async () => {
    await expect(get(at('unknown'))).rejects.toThrow('unknown has no address');
    const refusing = createServer().listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    const { port: closed } = refusing.address() as AddressInfo;
    refusing.close();
    await once(refusing, 'close');
    await expect(get(`http://allowed:${closed}/`)).rejects.toThrow('ECONNREFUSED');
    answer = (_, response) => response.writeHead(404).end();
    await expect(get(at('allowed'))).rejects.toThrow(`allowed:${port} answered 404`);
  });
});

describe('redirects', () => {
  const redirect = (location: string, status = 302) => {
    answer = (request, response) =>
      request.url === '/file' ? response.writeHead(status, { location }).end() : response.end('moved');
  };

  it('are followed, relative ones too', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      redirect('/elsewhere', status);
      const { body, url } = await get(at('allowed'));
      expect((await buffer(body)).toString()).toBe('moved');
      expect(url.pathname).toBe('/elsewhere');
    }
  });

  it.each([
    ['to a private name', () => at('private', '/secret'), 'not on the public internet'],
    ['to a private address', () => at('127.0.0.1', '/secret'), 'not on the public internet'],
    ['to the metadata service', () => 'http://169.254.169.254/latest/meta-data/', 'not on the public internet'],
    ['to a file', () => 'file:///etc/passwd', 'not fetched'],
    ['with credentials', () => `http://a:b@allowed:${port}/x`, 'user name or password'],
  ])('%s are refused', async (_, target, message) => {
    redirect(target());
    const before = requests.length;
    await expect(get(at('allowed'))).rejects.toThrow(message);
    expect(requests).toHaveLength(before + 1);
  });

  it('end somewhere', async () => {
    answer = (_, response) => response.writeHead(302, { location: '/file' }).end();
    const before = requests.length;
    await expect(get(at('allowed'))).rejects.toThrow('redirects too often');
    expect(requests).toHaveLength(before + 6);
  });
});

describe('limits', () => {
  it('refuses an announced size that is too large', async () => {
    answer = (_, response) => response.writeHead(200, { 'content-length': 1001 }).flushHeaders();
    await expect(get(at('allowed'))).rejects.toThrow('larger than this lab takes');
  });

  it('stops a body that grows too large without having said so', async () => {
    answer = (_, response) => {
      response.write(Buffer.alloc(600));
      response.end(Buffer.alloc(600));
    };
    const { body, sizeBytes } = await get(at('allowed'));
    expect(sizeBytes).toBeNull();
    await expect(buffer(body)).rejects.toThrow('larger than this lab takes');
  });

  it('gives up on a server that says nothing', async () => {
    answer = () => undefined;
    await expect(get(at('allowed'), { idleMs: 50 })).rejects.toThrow('silent for 50ms');
    answer = (_, response) => void response.write('some');
    const { body } = await get(at('allowed'), { idleMs: 100 });
    await expect(buffer(body)).rejects.toThrow('silent for 100ms');
  });

  it('gives up on a server that says too little for too long', async () => {
    answer = (_, response) => {
      const drip = setInterval(() => response.write('x'), 10);
      response.on('close', () => clearInterval(drip));
    };
    const { body } = await get(at('allowed'), { timeMs: 300 });
    await expect(buffer(body)).rejects.toThrow('took longer than 300ms');
  });

  it('notices a body that was cut short', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half');
      setTimeout(() => response.destroy(), 20);
    };
    const { body } = await get(at('allowed'));
    await expect(buffer(body)).rejects.toThrow('broke off');
  });

  it('stops when it is told to', async () => {
    answer = (_, response) => void response.write('some');
    const controller = new AbortController();
    const { body } = await get(at('allowed'), { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(buffer(body)).rejects.toThrow('abort');
  });
});

describe('a message', () => {
  const send = (url: string, options: Partial<GuardedPostOptions> = {}) => {
    const headers = { 'content-type': 'text/plain', 'x-test': 'yes' };
    return guardedPost(url, { headers, body: 'said', timeMs: 30_000, allowedHosts: ['allowed'], resolve, ...options });
  };

  it('arrives with its headers, and its status comes back', async () => {
    let heard: Promise<Buffer> | undefined;
    answer = (request, response) => {
      heard = buffer(request);
      response.writeHead(202).end('not read');
    };
    expect(await send(at('allowed'))).toBe(202);
    expect((await heard)?.toString()).toBe('said');
    expect(requests.at(-1)).toMatchObject({ method: 'POST', headers: { 'x-test': 'yes', 'content-length': '4' } });
  });

  it('goes nowhere that a download would not go, and follows no redirect', async () => {
    const before = requests.length;
    await expect(send(at('private'))).rejects.toThrow('not on the public internet');
    await expect(send('http://[::1]:1/')).rejects.toThrow('not on the public internet');
    await expect(send('file:///etc/passwd')).rejects.toThrow('not fetched');
    expect(requests).toHaveLength(before);
    answer = (_, response) => response.writeHead(307, { location: at('allowed', '/elsewhere') }).end();
    expect(await send(at('allowed'))).toBe(307);
    expect(requests).toHaveLength(before + 1);
  });

  it('is given up when nobody answers', async () => {
    answer = () => undefined;
    await expect(send(at('allowed'), { timeMs: 100 })).rejects.toThrow('longer than 100ms');
  });
});
