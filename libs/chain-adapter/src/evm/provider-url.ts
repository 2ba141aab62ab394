/** Shorter parts of a path are words like `v2` or `rpc`, longer ones are keys. */
const KEY_MIN_LENGTH = 8;
const URL_IN_TEXT = /\b(?:https?|wss?):\/\/[^\s"'<>]+/gi;

/** One RPC URL, and the only ways in which it may be shown. */
export class ProviderUrl {
  /** Scheme, host and port: providers put their keys into user, path and query. */
  readonly label: string;
  private readonly secrets: readonly string[];

  /** @throws TypeError unless `href` is a URL. */
  constructor(readonly href: string) {
    const url = new URL(href);
    const hidden = url.pathname.length > 1 || url.search !== '' ? '/…' : '';
    this.label = `${url.protocol}//${url.host}${hidden}`;
    this.secrets = secretsOf(url);
  }

  /** The same text without URLs' paths and without any key of this URL. */
  redact(text: string): string {
    const withoutUrls = text.replace(URL_IN_TEXT, originOf);
    return this.secrets.reduce((clean, secret) => clean.replaceAll(secret, '…'), withoutUrls);
  }
}

function secretsOf(url: URL): string[] {
  const keys = [...url.pathname.split('/'), ...url.searchParams.values()];
  const long = [url.search.slice(1), ...keys].filter((key) => key.length >= KEY_MIN_LENGTH);
  const raw = [url.username, url.password, ...long].filter((secret) => secret !== '');
  const spellings = raw.flatMap((secret) => [secret, decoded(secret)]);
  // The longest first, so that no secret is left over around a shorter one inside it.
  return [...new Set(spellings)].sort((a, b) => b.length - a.length);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function originOf(text: string): string {
  try {
    const { protocol, host } = new URL(text);
    return `${protocol}//${host}/…`;
  } catch {
    return '…';
  }
}
