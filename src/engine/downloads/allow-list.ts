import { domainToASCII } from 'node:url';
import ipaddr from 'ipaddr.js';
import { ConfigError } from '../config.js';
import { type IpAddress, parseIpAddress } from './ip-address.js';

/** The hosts that the operator trusts, whatever their addresses are. */
export interface AllowList {
  /** Whether a host is listed by its name, for this port. */
  hasName(host: string, port: number): boolean;
  /** Whether an address is listed, by itself or in a range, for this port. */
  hasAddress(address: IpAddress, port: number): boolean;
  /** Whether an address is listed by itself, for this port. */
  hasExactly(address: IpAddress, port: number): boolean;
  /** Whether any address is listed for this port. */
  hasAddressesFor(port: number): boolean;
}

interface NameEntry {
  name: string;
  /** `*.name`: all names under it, not itself. */
  isSuffix: boolean;
  port: number | null;
}

interface RangeEntry {
  base: IpAddress;
  prefix: number;
  port: number | null;
}

/** The ports of an entry that names none, and the only ones of a host that is not listed. */
export const usualPorts: readonly number[] = [80, 443];

const hostName = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.|$))+$/;
/** Such a last label makes a host an (incomplete) IPv4 address: https://url.spec.whatwg.org/#ends-in-a-number-checker */
const endsInNumber = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/**
 * Entries as in `DARKROOM_ALLOW_HOSTS`: `nas`, `*.example.lan`, `10.1.2.3`, `10.0.0.0/8`, `fd00::/8`, each also with a
 * port (`nas:9000`, `[fd00::/8]:9000`), which is then the only one. Throws ConfigError for an entry that is none of these.
 */
export function parseAllowList(entries: readonly string[]): AllowList {
  const parsed = entries.map(parseEntry);
  const names = parsed.filter((entry) => 'name' in entry);
  const ranges = parsed.filter((entry) => 'base' in entry);
  const hasRange = (port: number, matches: (range: RangeEntry) => boolean) =>
    ranges.some((range) => coversPort(range, port) && matches(range));
  return {
    hasName: (host, port) => names.some((entry) => coversPort(entry, port) && coversName(entry, host)),
    hasAddress: (address, port) => hasRange(port, (range) => coversAddress(range, address)),
    hasExactly: (address, port) => hasRange(port, (range) => isSingle(range) && coversAddress(range, address)),
    hasAddressesFor: (port) => hasRange(port, () => true),
  };
}

function coversPort(entry: NameEntry | RangeEntry, port: number): boolean {
  return entry.port === null ? usualPorts.includes(port) : entry.port === port;
}

function coversName({ name, isSuffix }: NameEntry, host: string): boolean {
  return isSuffix ? host.endsWith(`.${name}`) : host === name;
}

function coversAddress({ base, prefix }: RangeEntry, address: IpAddress): boolean {
  return base.kind() === address.kind() && address.match(base, prefix);
}

function isSingle({ base, prefix }: RangeEntry): boolean {
  return prefix === bitsOf(base);
}

function parseEntry(entry: string): NameEntry | RangeEntry {
  const { subject, port } = splitPort(entry);
  if (subject.includes('/')) return { ...parseRange(subject, entry), port };
  const address = parseIpAddress(subject);
  if (address) return { base: address, prefix: bitsOf(address), port };
  const isSuffix = subject.startsWith('*.');
  const name = domainToASCII((isSuffix ? subject.slice(2) : subject).replace(/\.$/, ''));
  if (!hostName.test(name) || endsInNumber.test(name)) throw malformed(entry);
  return { name, isSuffix, port };
}

/** `[v6]`, `[v6]:port`, bare `v6` (two colons or more), `other`, `other:port`. */
function splitPort(entry: string): { subject: string; port: number | null } {
  const [, bracketed, bare, digits] =
    /^(?:\[([^[\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(entry) ?? /^()([^[\]]*:[^[\]]*:[^[\]]*)$/.exec(entry) ?? [];
  const subject = bracketed || bare;
  const port = digits === undefined ? null : Number(digits);
  if (!subject || (bracketed && !bracketed.includes(':'))) throw malformed(entry);
  if (port !== null && (port < 1 || port > 65_535)) throw malformed(entry);
  return { subject, port };
}

function parseRange(subject: string, entry: string): Omit<RangeEntry, 'port'> {
  const [, text = '', digits = ''] = /^([^/%]+)\/(\d{1,3})$/.exec(subject) ?? [];
  const base = parseIpAddress(text);
  const prefix = Number(digits);
  // A mapped range would come out as an IPv4 address with the prefix of an IPv6 one.
  const isMapped = text.includes(':') && base?.kind() === 'ipv4';
  if (!base || isMapped || prefix > bitsOf(base)) throw malformed(entry);
  const network = networkOf(base, prefix);
  if (network !== base.toString()) throw malformed(entry, `; that range is ${network}/${prefix}`);
  return { base, prefix };
}

function networkOf(base: IpAddress, prefix: number): string {
  const family = base.kind() === 'ipv4' ? ipaddr.IPv4 : ipaddr.IPv6;
  return family.networkAddressFromCIDR(`${base}/${prefix}`).toString();
}

function bitsOf(address: IpAddress): number {
  return address.kind() === 'ipv4' ? 32 : 128;
}

function malformed(entry: string, hint = ''): ConfigError {
  return new ConfigError(
    `DARKROOM_ALLOW_HOSTS: expected host names (nas.example.lan, *.example.lan), addresses (10.1.2.3) or ranges (10.0.0.0/8), each with or without a port (nas.example.lan:9000), got "${entry}"${hint}`,
  );
}
