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
