import { DataSourceJsonData } from '@grafana/data';
import { DataQuery } from '@grafana/schema';

/** How a query is evaluated. `volume` is only made by the data source itself, for the histogram above the lines. */
export type QueryType = 'range' | 'instant' | 'volume';

/** Which end of the time range lines are read from until the line limit is reached. */
export type Direction = 'backward' | 'forward';

export type EditorMode = 'code' | 'builder';

export interface CambiumQuery extends DataQuery {
  expr: string;
  queryType?: QueryType;
  /** Lines that a log query returns at most. */
  maxLines?: number;
  direction?: Direction;
  /** Resolution of a metric query as a duration (`30s`); variables are allowed. Empty: from the panel's width. */
  step?: string;
  legendFormat?: string;
  editorMode?: EditorMode;
  /** Instant metric queries: adds the newest line behind each number as the label `sample_line`. */
  sampleLine?: boolean;
  /** Makes the answer tell how the engine worked the query. */
  explain?: boolean;
}

/** What a regular expression or a label makes of a line: a field of its own, with a link. */
export interface DerivedField {
  name: string;
  /** `regex`: the first group found in the line; `label`: the value of the label that the regex names. */
  matcherType?: 'regex' | 'label';
  matcherRegex: string;
  url?: string;
  urlDisplayLabel?: string;
  /** Set for an internal link: `url` is then the query for this data source. */
  datasourceUid?: string;
}

export type PushRole = 'Viewer' | 'Editor' | 'Admin';

/** A selector that is added to every query of the users with a role. */
export interface RoleSelector {
  role: PushRole;
  selector: string;
}

export type StorageKind = 'embedded' | 's3' | 'bucket';

export interface StorageOptions {
  kind?: StorageKind;
  endpoint?: string;
  bucket?: string;
  region?: string;
  prefix?: string;
  insecure?: boolean;
}

export interface CambiumOptions extends DataSourceJsonData {
  tenant?: string;
  maxLines?: number;
  retention?: string;
  pushRole?: PushRole;
  storage?: StorageOptions;
  derivedFields?: DerivedField[];
  roleSelectors?: RoleSelector[];
}

/** Settings that are written to the backend and never read back. */
export interface CambiumSecureOptions {
  pushToken?: string;
  s3AccessKey?: string;
  s3SecretKey?: string;
  /** Configuration of an object store in objstore's YAML form. */
  bucketConfig?: string;
}

/** Answer of the resource `cambium/v1/status`. Times are RFC 3339, empty when nothing is stored. */
export interface StorageStatus {
  tenant: string;
  location: string;
  bytes: number;
  rawBytes: number;
  entries: number;
  streams: number;
  oldest?: string;
  newest?: string;
  lastReceived?: string;
  retention?: string;
  pushRole?: string;
  version?: string;
}
