/** The address that agents push to: this Grafana, this data source, Loki's push route. */
export function pushUrl(appUrl: string, uid: string): string {
  return `${resourcesUrl(appUrl, uid)}/loki/api/v1/push`;
}

export function otlpUrl(appUrl: string, uid: string): string {
  return `${resourcesUrl(appUrl, uid)}/otlp/v1/logs`;
}

/** Where the whole Loki HTTP API of this data source begins. */
export function resourcesUrl(appUrl: string, uid: string): string {
  return `${appUrl.replace(/\/+$/, '')}/api/datasources/uid/${encodeURIComponent(uid)}/resources`;
}

export interface UrlParts {
  https: boolean;
  host: string;
  port: string;
  path: string;
}

/** For agents that want an address in pieces. */
export function urlParts(url: string): UrlParts {
  const { protocol, hostname, port, pathname } = new URL(url);
  const https = protocol === 'https:';
  return { https, host: hostname, port: port || (https ? '443' : '80'), path: pathname };
}

/** Where everything that a log query matches can be fetched as NDJSON. */
export function exportUrl(appUrl: string, uid: string, expr: string, fromMs: number, toMs: number): string {
  const params = new URLSearchParams({ query: expr, start: `${fromMs}000000`, end: `${toMs}000000` });
  return `${resourcesUrl(appUrl, uid)}/cambium/v1/export?${params}`;
}
