import { describe, expect, it } from '@jest/globals';
import { addressText, inetAddress } from './host-address.js';

describe('addresses of the host', () => {
  it.each([
    ['127.0.0.1', 'inet', '127.0.0.1'],
    ['192.0.2.7', 'inet6', '0:0:0:0:0:ffff:c000:207'],
    ['::1', 'inet6', '0:0:0:0:0:0:0:1'],
    ['::', 'inet6', '0:0:0:0:0:0:0:0'],
    ['fe80::a:b%eth0', 'inet6', 'fe80:0:0:0:0:0:a:b'],
    ['2001:db8:1:2:3:4:5:6', 'inet6', '2001:db8:1:2:3:4:5:6'],
    ['::ffff:10.1.2.3', 'inet6', '0:0:0:0:0:ffff:a01:203'],
    ['::ffff:10.1.2.3', 'inet', '10.1.2.3'],
  ] as const)('%s for %s', (text, family, expected) => {
    const address = inetAddress(text, 80, family);
    expect(address).toMatchObject({ family, port: 80 });
    expect(address.host).toHaveLength(family === 'inet' ? 4 : 16);
    expect(addressText(address)).toBe(expected);
  });
});
