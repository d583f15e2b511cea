import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { EngineError } from '../errors.js';

/** How the network is reached; an empty string is none. */
export interface ProxySettings {
  httpProxy: string;
  httpsProxy: string;
  /** Hosts that are asked directly. */
  noProxy: string;
}

/** A way to the network. */
export type Network = Dispatcher;

/** A way to the network that honours these proxies. Errors: `invalid_input` naming the variable. */
export function openNetwork({ httpProxy, httpsProxy, noProxy }: ProxySettings): Network {
  return new EnvHttpProxyAgent({
    httpProxy: proxyAddress('HTTP_PROXY', httpProxy),
    httpsProxy: proxyAddress('HTTPS_PROXY', httpsProxy),
    noProxy,
    headersTimeout: 30_000,
    bodyTimeout: 60_000,
    connect: { timeout: 15_000 },
  });
}

function proxyAddress(name: string, value: string): string {
  if (value === '') return '';
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  if (URL.canParse(address) && /^https?:/i.test(address)) return address;
  throw new EngineError('invalid_input', `${name}: expected an http(s) address, got "${value}"`, { param: name });
}
