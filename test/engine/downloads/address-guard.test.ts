import { describe, expect, it } from 'vitest';
import { createAddressGuard } from '#src/engine/downloads/address-guard.js';
import { EngineError } from '#src/engine/errors.js';

/** Why a URL whose host has these addresses is refused; null if it is not. */
function refusalOf(url: string, addresses: string[] = [], allowHosts: string[] = []): string | null {
  const guard = createAddressGuard(allowHosts);
  const { protocol, hostname, port } = new URL(url);
  try {
    guard.checkUrl(new URL(url));
    const host = hostname.replace(/[[\]]/g, '');
    const defaultPort = protocol === 'https:' ? 443 : 80;
    if (addresses.length) guard.checkAddresses({ protocol, host, port: Number(port) || defaultPort }, addresses);
    return null;
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'invalid_input') throw error;
    return error.message;
  }
}

const trust = (entry: string) => `; add ${entry} to DARKROOM_ALLOW_HOSTS if you trust it`;

describe('the address guard', () => {
  it.each([
    ['https://example.com/a.jpg', ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c']],
    ['https://example.com:443/a.jpg', ['93.184.215.14']],
    ['https://example.com:80/a.jpg', ['93.184.215.14']],
    ['https://EXAMPLE.com./a.jpg', ['93.184.215.14']],
    ['https://93.184.215.14/a.jpg', ['93.184.215.14']],
    ['https://[2606:4700:4700::1111]/a.jpg', ['2606:4700:4700::1111']],
  ])('lets %s pass', (url, addresses) => {
    expect(refusalOf(url, addresses)).toBeNull();
  });

  it.each([
    ['ftp://example.com/a.jpg', 'expected an https address, got ftp:'],
    ['file:///etc/passwd', 'expected an https address, got file:'],
    ['javascript:alert(1)', 'expected an https address, got javascript:'],
    ['https://user@example.com/', 'expected an address without user name and password, got one for example.com'],
    ['https://:secret@example.com/', 'expected an address without user name and password, got one for example.com'],
    ['http://example.com/', `expected an https address, got http://example.com${trust('example.com')}`],
    ['https://example.com:8443/', `expected port 443 of example.com, got 8443${trust('example.com:8443')}`],
    ['https://example.com:22/', `expected port 443 of example.com, got 22${trust('example.com:22')}`],
    ['https://10.0.0.5/', `10.0.0.5 is a private address${trust('10.0.0.5')}`],
    ['https://10.0.0.5:9000/', `10.0.0.5 is a private address${trust('10.0.0.5:9000')}`],
    ['https://[::1]:9000/', `::1 is an address of this machine itself${trust('[::1]:9000')}`],
  ])('refuses %s before anything is resolved', (url, message) => {
    expect(refusalOf(url)).toBe(message);
  });

  it.each([
    'https://2130706433/',
    'https://0x7f000001/',
    'https://017700000001/',
    'https://0177.0.0.1/',
    'https://0x7f.0x0.0x0.0x1/',
    'https://127.1/',
    'https://127.0.1/',
    'https://127.0.0.1./',
    'https://127.0.0.1:443/',
    'https://0/',
    'https://0.0.0.0/',
    'https://①②⑦.⓪.⓪.①/',
    'https://127。0。0。1/',
    'https://%31%32%37.0.0.1/',
    'https://[::]/',
    'https://[::1]/',
    'https://[0:0:0:0:0:0:0:1]/',
    'https://[::127.0.0.1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[64:ff9b::127.0.0.1]/',
    'https://[2002:7f00:1::]/',
    'https://[fe80::1]/',
  ])('refuses %s, however the address is written', (url) => {
    expect(refusalOf(url)).not.toBeNull();
  });

  it('refuses a name that points to a private address, and says where to', () => {
    expect(refusalOf('https://shop.example/', ['10.0.0.5'])).toBe(
      `shop.example points to 10.0.0.5, a private address${trust('shop.example')}`,
    );
  });

  it.each([
    [['93.184.215.14', '10.0.0.5']],
    [['10.0.0.5', '93.184.215.14']],
    [['93.184.215.14', '::1']],
    [['2606:4700:4700::1111', '::ffff:192.168.1.1']],
  ])('refuses mixed answers %j', (addresses) => {
    expect(refusalOf('https://shop.example/', addresses)).toContain('shop.example points to');
  });

  it('refuses a name without addresses, and an answer that is no address', () => {
    const guard = createAddressGuard([]);
    const destination = { protocol: 'https:', host: 'shop.example', port: 443 };
    expect(() => guard.checkAddresses(destination, [])).toThrow('shop.example was not found');
    expect(() => guard.checkAddresses(destination, ['127.1'])).toThrow(
      'shop.example points to "127.1", which is no address',
    );
  });

  describe('with an allow list', () => {
    it.each([
      ['a listed name may have a private address', 'https://nas.lan/', ['10.0.0.5'], ['nas.lan']],
      ['a listed name may have an address of this machine', 'https://nas.lan/', ['127.0.0.1', '::1'], ['nas.lan']],
      ['a listed name may be asked in the clear', 'http://nas.lan/', ['10.0.0.5'], ['nas.lan']],
      ['a listed name may end in a dot', 'https://nas.lan./', ['10.0.0.5'], ['nas.lan']],
      ['a name under a listed suffix counts', 'http://a.b.lan/', ['10.0.0.5'], ['*.lan']],
      ['a listed port may be asked', 'http://nas.lan:9000/', ['10.0.0.5'], ['nas.lan:9000']],
      ['a listed address may be asked', 'http://10.0.0.5/', ['10.0.0.5'], ['10.0.0.5']],
      ['an address in a listed range may be asked', 'http://10.0.0.5/', ['10.0.0.5'], ['10.0.0.0/8']],
      ['a name may point into a listed range', 'https://nas.lan/', ['10.0.0.5'], ['10.0.0.0/8']],
      ['such a name may be asked in the clear', 'http://nas.lan/', ['10.0.0.5', '10.0.0.6'], ['10.0.0.0/8']],
      ['such a name may be asked on a listed port', 'http://nas.lan:81/', ['10.0.0.5'], ['10.0.0.0/8:81']],
      ['a mapped address counts as what it is', 'https://[::ffff:10.0.0.5]/', ['::ffff:10.0.0.5'], ['10.0.0.0/8']],
      ['answers may be public or in the range', 'https://nas.lan/', ['10.0.0.5', '93.184.215.14'], ['10.0.0.0/8']],
      [
        'a metadata service can be listed by its address',
        'http://169.254.169.254/',
        ['169.254.169.254'],
        ['169.254.169.254'],
      ],
      ['other hosts are as ever', 'https://example.com/', ['93.184.215.14'], ['nas.lan', '10.0.0.0/8']],
    ])('%s', (_, url, addresses, allowHosts) => {
      expect(refusalOf(url, addresses, allowHosts)).toBeNull();
    });

    it.each([
      ['another name', 'https://other.lan/', ['10.0.0.5'], ['nas.lan']],
      ['another port of a listed name', 'https://nas.lan:9001/', ['10.0.0.5'], ['nas.lan:9000']],
      ['the usual port of a name that is listed with another', 'https://nas.lan/', ['10.0.0.5'], ['nas.lan:9000']],
      ['an unusual port of a listed name', 'https://nas.lan:22/', ['10.0.0.5'], ['nas.lan']],
      ['an address beside the range', 'https://nas.lan/', ['11.0.0.5', '10.0.0.5', '192.168.0.1'], ['10.0.0.0/8']],
      ['a public address in the clear', 'http://example.com/', ['93.184.215.14'], ['10.0.0.0/8']],
      ['answers in the clear of which one is public', 'http://nas.lan/', ['10.0.0.5', '93.184.215.14'], ['10.0.0.0/8']],
      ['a range through NAT64', 'https://[64:ff9b::10.0.0.5]/', [], ['10.0.0.0/8']],
      ['user names even for a listed name', 'https://me@nas.lan/', ['10.0.0.5'], ['nas.lan']],
      ['other schemes even for a listed name', 'ftp://nas.lan/', ['10.0.0.5'], ['nas.lan']],
      ['a metadata service under a listed name', 'http://nas.lan/', ['169.254.169.254'], ['nas.lan']],
      ['a metadata service in a listed range', 'http://169.254.169.254/', [], ['169.254.0.0/16', '0.0.0.0/0']],
      ['a metadata service in a listed range of IPv6', 'http://[fd00:ec2::254]/', [], ['fd00::/8']],
      [
        'a metadata service through listed NAT64',
        'https://nas.lan/',
        ['64:ff9b::a9fe:a9fe'],
        ['nas.lan', '64:ff9b::/96'],
      ],
    ])('still refuses %s', (_, url, addresses, allowHosts) => {
      expect(refusalOf(url, addresses, allowHosts)).not.toBeNull();
    });

    it('says that a metadata service must be listed by its address', () => {
      expect(refusalOf('http://nas.lan/', ['169.254.169.254'], ['nas.lan'])).toBe(
        `nas.lan points to 169.254.169.254, the metadata service of a cloud${trust('169.254.169.254')}`,
      );
    });
  });

  it('does not begin with an entry that it cannot read', () => {
    expect(() => createAddressGuard(['nas.lan', 'http://nas'])).toThrow(/^DARKROOM_ALLOW_HOSTS: .*got "http:\/\/nas"/);
  });
});
