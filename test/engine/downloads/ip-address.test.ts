import { describe, expect, it } from 'vitest';
import { isMetadataService, parseIpAddress, specialUse } from '#src/engine/downloads/ip-address.js';

const isPublic = (text: string) => {
  const address = parseIpAddress(text);
  if (!address) throw new Error(`Expected an address, got ${text}`);
  return specialUse(address) === null;
};

describe('specialUse', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:80b::200e',
    '2001:4860:4860::8888',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
  ])('finds %s public', (text) => {
    expect(isPublic(text)).toBe(true);
  });

  it.each([
    ['this network', '0.0.0.0'],
    ['this network', '0.1.2.3'],
    ['this network', '0.255.255.255'],
    ['private', '10.0.0.0'],
    ['private', '10.255.255.255'],
    ['carrier-grade NAT', '100.64.0.0'],
    ['carrier-grade NAT', '100.127.255.255'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['link-local', '169.254.0.1'],
    ['metadata', '169.254.169.254'],
    ['private', '172.16.0.0'],
    ['private', '172.31.255.255'],
    ['IETF protocol assignments', '192.0.0.1'],
    ['metadata of Oracle', '192.0.0.192'],
    ['documentation', '192.0.2.1'],
    ['6to4 relay', '192.88.99.1'],
    ['private', '192.168.0.0'],
    ['private', '192.168.255.255'],
    ['benchmarks', '198.18.0.0'],
    ['benchmarks', '198.19.255.255'],
    ['documentation', '198.51.100.7'],
    ['documentation', '203.0.113.7'],
    ['multicast', '224.0.0.1'],
    ['multicast', '239.255.255.255'],
    ['reserved', '240.0.0.1'],
    ['reserved', '255.255.255.254'],
    ['broadcast', '255.255.255.255'],
    ['metadata of Alibaba', '100.100.100.200'],
    ['metadata of Azure', '168.63.129.16'],
    ['unspecified', '::'],
    ['loopback', '::1'],
    ['IPv4-compatible loopback', '::127.0.0.1'],
    ['IPv4-compatible public', '::8.8.8.8'],
    ['IPv4-mapped loopback', '::ffff:127.0.0.1'],
    ['IPv4-mapped loopback in hex', '::ffff:7f00:1'],
    ['IPv4-mapped private', '::ffff:10.0.0.5'],
    ['IPv4-mapped metadata', '::ffff:169.254.169.254'],
    ['IPv4-translated', '::ffff:0:10.0.0.5'],
    ['NAT64 of private', '64:ff9b::10.0.0.5'],
    ['NAT64 of loopback', '64:ff9b::7f00:1'],
    ['NAT64 of metadata', '64:ff9b::a9fe:a9fe'],
    ['local-use NAT64', '64:ff9b:1::8.8.8.8'],
    ['local-use NAT64', '64:ff9b:1:ffff::10.0.0.5'],
    ['discard', '100::1'],
    ['dummy prefix', '100:0:0:1::1'],
    ['Teredo', '2001::1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['benchmarks', '2001:2::1'],
    ['ORCHID', '2001:10::1'],
    ['ORCHIDv2', '2001:20::1'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['6to4 of private', '2002:a00:5::1'],
    ['6to4 of public', '2002:808:808::1'],
    ['ISATAP', '2606:4700::5efe:10.0.0.5'],
    ['ISATAP', '2606:4700::200:5efe:10.0.0.5'],
    ['not assigned', '4000::1'],
    ['not assigned', '1::1'],
    ['segment routing', '5f00::1'],
    ['unique local', 'fc00::1'],
    ['unique local', 'fdff:ffff::1'],
    ['metadata of AWS', 'fd00:ec2::254'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['link-local with a zone of dots', 'fe80::1%eth0.100'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['multicast', 'ff0e::1'],
  ])('does not find %s (%s) public', (_, text) => {
    expect(isPublic(text)).toBe(false);
  });

  it.each([
    ['10.1.2.3', 'a private address'],
    ['fd12::1', 'a private address'],
    ['127.0.0.1', 'an address of this machine itself'],
    ['::ffff:7f00:1', 'an address of this machine itself'],
    ['64:ff9b::10.0.0.5', 'a private address'],
    ['169.254.169.254', 'the metadata service of a cloud'],
    ['2002:a00:5::1', 'an IPv4 address wrapped in IPv6 (6to4)'],
    ['::127.0.0.1', 'a reserved address'],
  ])('calls %s %s', (text, use) => {
    const address = parseIpAddress(text);
    expect(address && specialUse(address)).toBe(use);
  });
});

describe('parseIpAddress', () => {
  it.each([
    '',
    'localhost',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '127.0.0.1.',
    '1.2.3.4/8',
    '[::1]',
    '1.2.3',
  ])('takes %j for no address', (text) => {
    expect(parseIpAddress(text)).toBeNull();
  });
});

it('isMetadataService sees through mapping and NAT64', () => {
  const found = ['169.254.169.254', '::ffff:a9fe:a9fe', '64:ff9b::169.254.169.254', '169.254.169.253'].map((text) => {
    const address = parseIpAddress(text);
    return address && isMetadataService(address);
  });
  expect(found).toEqual([true, true, true, false]);
});
