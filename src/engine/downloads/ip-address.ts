import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Where clouds answer any program on a machine with its credentials. Two of them look public: the one of Azure
 * (168.63.129.16) and, to the naked eye, the one of Alibaba (100.100.100.200, in the range of carriers).
 */
const metadataServices = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd00:ec2::23',
  'fd20:ce::254',
]);

/** What the ranges of `ipaddr.js` are called in a message; the others are `a reserved address`. */
const names: Record<string, string> = {
  private: 'a private address',
  uniqueLocal: 'a private address',
  deprecatedSiteLocal: 'a private address',
  carrierGradeNat: 'a private address of a carrier',
  loopback: 'an address of this machine itself',
  unspecified: 'an address of this machine itself',
  linkLocal: 'a link-local address',
  multicast: 'a multicast address',
  broadcast: 'the broadcast address',
  '6to4': 'an IPv4 address wrapped in IPv6 (6to4)',
  teredo: 'an IPv4 address wrapped in IPv6 (Teredo)',
  rfc6052: 'an IPv4 address wrapped in IPv6 (NAT64)',
  rfc6145: 'an IPv4 address wrapped in IPv6',
};

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * The address that a text in canonical form is (four decimal numbers, or IPv6), else null. An IPv4-mapped one
 * (`::ffff:10.0.0.1`) is the IPv4 address that a connection to it goes to; a zone (`%eth0`) is left out.
 */
export function parseIpAddress(text: string): IpAddress | null {
  const family = isIP(text);
  if (family === 0) return null;
  return family === 4 ? ipaddr.IPv4.parse(text) : ipaddr.process(inHex(text.replace(/%.*$/, '')));
}

/** IPv6 without dots: `ipaddr.js` reads `::10.0.0.1` as if it were `::ffff:10.0.0.1`, where a connection would not go. */
function inHex(text: string): string {
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}

/** Whether the address is one of a cloud's metadata services, also through NAT64. */
export function isMetadataService(address: IpAddress): boolean {
  return metadataServices.has(address.toString()) || metadataServices.has(String(translated(address)));
}

/** What keeps an address from being one of the public internet, in words (`a private address`); null if it is one. */
export function specialUse(address: IpAddress): string | null {
  if (isMetadataService(address)) return 'the metadata service of a cloud';
  // A network without IPv4 reaches every IPv4 host by such addresses (RFC 6147), so what counts is the one inside.
  const inner = translated(address);
  if (inner) return specialUse(inner);
  const range = address.range();
  if (range === 'unicast' && !isOverlooked(address)) return null;
  return names[range] ?? 'a reserved address';
}

/** What `ipaddr.js` takes for ordinary IPv6: whatever is not assigned, `::a.b.c.d` among it, and ISATAP (RFC 5214). */
function isOverlooked(address: IpAddress): boolean {
  if (!isIPv6(address)) return false;
  const [high = 0, low = 0] = address.parts.slice(4, 6);
  const isIsatap = (high & 0xfdff) === 0 && low === 0x5efe;
  return isIsatap || !address.match(globalUnicast);
}

/** The IPv4 address in one of the well-known NAT64 prefix (RFC 6052), else null. */
function translated(address: IpAddress): ipaddr.IPv4 | null {
  if (!isIPv6(address) || !address.match(nat64)) return null;
  return new ipaddr.IPv4(address.toByteArray().slice(12));
}

function isIPv6(address: IpAddress): address is ipaddr.IPv6 {
  return address.kind() === 'ipv6';
}
