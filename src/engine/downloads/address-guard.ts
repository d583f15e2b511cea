import { isIP } from 'node:net';
import { parseAllowList, usualPorts } from './allow-list.js';
import { EngineError } from '../errors.js';
import { isMetadataService, parseIpAddress, specialUse } from './ip-address.js';

/** What a connection is about to be made to. */
export interface Destination {
  protocol: string;
  /** A name or an address, without brackets. */
  host: string;
  port: number;
}

/**
 * The policy for addresses that a caller names (pictures to fetch, webhooks to call): only https to public addresses
 * on ports 80 and 443, and what the operator has listed. Both functions throw `invalid_input` with a sentence that
 * says what is wrong with the address and, where that is so, how the operator can allow it.
 */
export interface AddressGuard {
  /** Before anything is asked of the network. What depends on the addresses of a name is left to `checkAddresses`. */
  checkUrl(url: URL): void;
  /** At dial time, with every address that the host resolved to; one that may not be refuses them all. */
  checkAddresses(destination: Destination, addresses: readonly string[]): void;
}

/** The guard with the operator's exceptions, entries as in `DARKROOM_ALLOW_HOSTS`. Throws ConfigError for a malformed one. */
export function createAddressGuard(allowHosts: readonly string[]): AddressGuard {
  const allowed = parseAllowList(allowHosts);

  function checkUrl(url: URL): void {
    if (url.protocol !== 'https:' && url.protocol !== 'http:') {
      throw refusal(`expected an https address, got ${url.protocol}`);
    }
    if (url.username || url.password) {
      throw refusal(`expected an address without user name and password, got one for ${url.hostname}`);
    }
    const destination = destinationOf(url);
    const { host, port } = destination;
    if (isIP(host)) checkAddress(destination, host);
    else if (!allowed.hasName(host, port) && !allowed.hasAddressesFor(port)) checkUsualWay(destination);
  }

  function checkAddresses({ protocol, host, port }: Destination, addresses: readonly string[]): void {
    if (addresses.length === 0) throw refusal(`${host} was not found`);
    for (const address of addresses) checkAddress({ protocol, host: nameOf(host), port }, address);
  }

  function checkAddress(destination: Destination, text: string): void {
    const { host, port } = destination;
    const address = parseIpAddress(text);
    if (!address) throw refusal(`${host} points to "${text}", which is no address`);
    if (allowed.hasExactly(address, port)) return;
    const isMetadata = isMetadataService(address);
    if (!isMetadata && (allowed.hasName(host, port) || allowed.hasAddress(address, port))) return;
    const use = specialUse(address);
    if (use) throw refusal(describe(host, text, use), entryFor(isMetadata ? text : host, port));
    checkUsualWay(destination);
  }

  return { checkUrl, checkAddresses };
}

/** The port of a URL that names none. */
export function defaultPort(protocol: string): number {
  return protocol === 'https:' ? 443 : 80;
}

function destinationOf({ protocol, hostname, port }: URL): Destination {
  const host = nameOf(hostname.replace(/^\[(.*)\]$/, '$1'));
  return { protocol, host, port: Number(port) || defaultPort(protocol) };
}

/** What a host that is not listed must keep to. */
function checkUsualWay({ protocol, host, port }: Destination): void {
  if (protocol !== 'https:') throw refusal(`expected an https address, got http://${host}`, entryFor(host, port));
  if (!usualPorts.includes(port)) throw refusal(`expected port 443 of ${host}, got ${port}`, entryFor(host, port));
}

/** `example.lan.` is `example.lan`. */
function nameOf(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

function describe(host: string, address: string, use: string): string {
  return host === address ? `${host} is ${use}` : `${host} points to ${address}, ${use}`;
}

/** What to list to allow a host on a port. */
function entryFor(host: string, port: number): string {
  if (usualPorts.includes(port)) return host;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function refusal(reason: string, entry?: string): EngineError {
  const remedy = entry ? `; add ${entry} to DARKROOM_ALLOW_HOSTS if you trust it` : '';
  return new EngineError('invalid_input', `${reason}${remedy}`);
}
