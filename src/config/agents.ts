import { otlpUrl, pushUrl, urlParts } from './urls';

/** Stands where the reader puts the token of a Grafana service account. */
export const TOKEN_PLACEHOLDER = '<service-account-token>';

export interface AgentTarget {
  appUrl: string;
  uid: string;
  token: string;
}

export interface Agent {
  id: string;
  name: string;
  /** Name of the file that the text belongs into; undefined for a command. */
  file?: string;
  language: 'hcl' | 'yaml' | 'ini' | 'shell' | 'toml';
  config: (target: AgentTarget) => string;
}

/** Ready-to-copy configurations, the recommended one first. */
export const AGENTS: Agent[] = [
  { id: 'alloy', name: 'Grafana Alloy', file: 'config.alloy', language: 'hcl', config: alloy },
  { id: 'promtail', name: 'Promtail', file: 'promtail.yaml', language: 'yaml', config: promtail },
  { id: 'fluentbit', name: 'Fluent Bit', file: 'fluent-bit.yaml', language: 'yaml', config: fluentBit },
  { id: 'vector', name: 'Vector', file: 'vector.yaml', language: 'yaml', config: vector },
  { id: 'otelcol', name: 'OTel Collector', file: 'otelcol.yaml', language: 'yaml', config: otelCollector },
  { id: 'curl', name: 'curl', language: 'shell', config: curl },
];

function alloy({ appUrl, uid, token }: AgentTarget): string {
  return `local.file_match "logs" {
  path_targets = [{ __path__ = "/var/log/*.log", job = "varlogs" }]
}

loki.source.file "logs" {
  targets    = local.file_match.logs.targets
  forward_to = [loki.write.cambium.receiver]
}

loki.write "cambium" {
  endpoint {
    url          = "${pushUrl(appUrl, uid)}"
    bearer_token = "${token}"
  }
}
`;
}

function promtail({ appUrl, uid, token }: AgentTarget): string {
  return `server:
  disable: true

positions:
  filename: /var/lib/promtail/positions.yaml

clients:
  - url: ${pushUrl(appUrl, uid)}
    bearer_token: ${token}

scrape_configs:
  - job_name: varlogs
    static_configs:
      - targets: [localhost]
        labels:
          job: varlogs
          __path__: /var/log/*.log
`;
}

function fluentBit({ appUrl, uid, token }: AgentTarget): string {
  const { https, host, port, path } = urlParts(pushUrl(appUrl, uid));
  return `pipeline:
  inputs:
    - name: tail
      path: /var/log/*.log
      tag: varlogs
  outputs:
    - name: loki
      match: '*'
      host: ${host}
      port: ${port}
      uri: ${path}
      tls: ${https ? 'on' : 'off'}
      bearer_token: ${token}
      labels: job=varlogs
      line_format: json
`;
}

function vector({ appUrl, uid, token }: AgentTarget): string {
  const { https, host, port, path } = urlParts(pushUrl(appUrl, uid));
  const defaultPort = port === (https ? '443' : '80');
  return `sources:
  varlogs:
    type: file
    include: [/var/log/*.log]

sinks:
  cambium:
    type: loki
    inputs: [varlogs]
    endpoint: ${https ? 'https' : 'http'}://${host}${defaultPort ? '' : `:${port}`}
    path: ${path}
    auth:
      strategy: bearer
      token: ${token}
    encoding:
      codec: text
    labels:
      job: varlogs
      file: '{{ file }}'
`;
}

function otelCollector({ appUrl, uid, token }: AgentTarget): string {
  return `receivers:
  filelog:
    include: [/var/log/*.log]

processors:
  resource:
    attributes:
      - { key: service.name, value: varlogs, action: upsert }

exporters:
  otlphttp/cambium:
    logs_endpoint: ${otlpUrl(appUrl, uid)}
    headers:
      Authorization: Bearer ${token}

service:
  pipelines:
    logs:
      receivers: [filelog]
      processors: [resource]
      exporters: [otlphttp/cambium]
`;
}

function curl({ appUrl, uid, token }: AgentTarget): string {
  return `curl -sS -X POST '${pushUrl(appUrl, uid)}' \\
  -H 'Authorization: Bearer ${token}' \\
  -H 'Content-Type: application/json' \\
  -d '{"streams":[{"stream":{"job":"curl"},"values":[["'$(date +%s)'000000000","hello from curl"]]}]}'
`;
}
