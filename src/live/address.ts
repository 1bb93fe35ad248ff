import { sha256 } from '@noble/hashes/sha2';

/** What a tail is asked for; every other setting of a query has no meaning while lines stream in. */
export interface TailRequest {
  expr: string;
  /** The role whose selector confines what is seen; missing for users who see all. */
  scope?: string;
}

/**
 * The channel of a tail. Its path is a hash of what is asked for, because Grafana shares a channel between all who
 * subscribe to its path: other content must be another path, and LogQL itself may not stand in one.
 *
 * The attempt is raised after an error, since a path that failed answers with the old error for a while.
 */
export function tailPath(request: TailRequest, attempt: number): string {
  return `tail/${base64url(sha256(canonicalJson(request)))}/${attempt}`;
}

/** The bytes that both sides hash: no blanks, the keys in this order, a scope only when there is one. */
export function canonicalJson({ expr, scope }: TailRequest): string {
  return JSON.stringify({ expr, scope });
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, '-')
    .replace(/\//g, '_')
    .replace(/=+$/, '');
}
