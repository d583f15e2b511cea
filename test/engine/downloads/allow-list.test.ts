import { describe, expect, it } from 'vitest';
import { parseAllowList } from '#src/engine/downloads/allow-list.js';
import { ConfigError } from '#src/engine/config.js';
import { parseIpAddress } from '#src/engine/downloads/ip-address.js';

/** Whether an entry lists a host (a name or an address) on a port. */
function lists(entry: string, host: string, port = 443): boolean {
  const list = parseAllowList([entry]);
  const address = parseIpAddress(host);
  return address ? list.hasAddress(address, port) : list.hasName(host, port);
}

describe('parseAllowList', () => {
  it.each([
    ['nas', 'nas'],
    ['NAS.Example.lan', 'nas.example.lan'],
    ['nas.example.lan.', 'nas.example.lan'],
    ['3d-printer', '3d-printer'],
    ['my_nas.lan', 'my_nas.lan'],
    ['münchen.example', 'xn--mnchen-3ya.example'],
    ['*.example.lan', 'nas.example.lan'],
    ['*.example.lan', 'a.b.example.lan'],
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3/32', '10.1.2.3'],
    ['10.0.0.0/8', '10.255.0.1'],
    ['10.0.0.0/8', '::ffff:10.0.0.1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['0.0.0.0/0', '192.168.1.1'],
    ['fd00::1', 'fd00:0::1'],
    ['[fd00::1]', 'fd00::1'],
    ['fd00::/8', 'fd12:3456::1'],
    ['[fd00::/8]', 'fd12:3456::1'],
  ])('lists with %s the host %s', (entry, host) => {
    expect(lists(entry, host)).toBe(true);
  });

  it.each([
    ['nas', 'nas2'],
    ['nas', 'my.nas'],
    ['example.lan', 'nas.example.lan'],
    ['*.example.lan', 'example.lan'],
    ['*.example.lan', 'badexample.lan'],
    ['*.example.lan', 'nas.example.lan.evil.com'],
    ['10.1.2.3', '10.1.2.4'],
    ['10.0.0.0/8', '11.0.0.1'],
    ['0.0.0.0/0', 'fd00::1'],
    ['::/0', '10.0.0.1'],
    ['fd00::/8', 'fe00::1'],
    ['10.0.0.0/8', '64:ff9b::10.0.0.1'],
  ])('does not list with %s the host %s', (entry, host) => {
    expect(lists(entry, host)).toBe(false);
  });

  it.each(['nas', '10.1.2.3', '10.0.0.0/8', '*.lan'])('lists %s for the usual ports alone', (entry) => {
    const host = entry.startsWith('10') ? '10.1.2.3' : entry.replace('*', 'nas');
    expect([80, 443, 8080, 22].map((port) => lists(entry, host, port))).toEqual([true, true, false, false]);
  });

  it.each([
    ['nas:9000', 'nas'],
    ['*.lan:9000', 'nas.lan'],
    ['10.1.2.3:9000', '10.1.2.3'],
    ['10.0.0.0/8:9000', '10.1.2.3'],
    ['[fd00::1]:9000', 'fd00::1'],
    ['[fd00::/8]:9000', 'fd00::1'],
  ])('lists %s for its port alone', (entry, host) => {
    expect([9000, 443, 80].map((port) => lists(entry, host, port))).toEqual([true, false, false]);
  });

  it('tells an address that is listed itself from one in a listed range', () => {
    const { hasExactly } = parseAllowList(['10.1.2.3', '10.0.0.0/8', 'fd00::1/128']);
    const found = ['10.1.2.3', '10.1.2.4', 'fd00::1', 'fd00::2'].map((text) => {
      const address = parseIpAddress(text);
      return address && hasExactly(address, 443);
    });
    expect(found).toEqual([true, false, true, false]);
  });

  it.each([
    '',
    '*',
    '*.',
    '*nas.lan',
    'nas.*.lan',
    '*.10.0.0.1',
    'http://nas',
    'https://nas.lan/',
    'nas/pictures',
    'user@nas',
    'nas lan',
    '-nas',
    'nas-',
    'nas..lan',
    'nas:',
    'nas:0',
    'nas:65536',
    'nas:http',
    'nas:80:80',
    ':80',
    '10.0.0',
    '10.0.0.256',
    '2130706433',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.0/255.0.0.0',
    '10/8',
    '/8',
    'nas/8',
    'fd00::/129',
    '::ffff:10.0.0.0/104',
    '[fd00::1',
    'fd00::1]:80',
    '[nas]:80',
    '[10.0.0.1]:80',
    'fe80::1%eth0/64',
    'fd00:::1',
  ])('refuses the entry %j and names the variable', (entry) => {
    expect(() => parseAllowList(['nas.lan', entry])).toThrow(ConfigError);
    expect(() => parseAllowList([entry])).toThrow(/^DARKROOM_ALLOW_HOSTS: expected host names .*, got "/);
    expect(() => parseAllowList([entry])).toThrow(`got "${entry}"`);
  });

  it('tells what a range with a host in it was probably to be', () => {
    expect(() => parseAllowList(['10.1.2.3/8'])).toThrow('got "10.1.2.3/8"; that range is 10.0.0.0/8');
    expect(() => parseAllowList(['fd00::1/8'])).toThrow('that range is fd00::/8');
  });
});
