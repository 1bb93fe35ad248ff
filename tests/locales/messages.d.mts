export type Messages = Record<string, string>;
export interface Nested {
  [name: string]: string | Nested;
}

export function messagesOf(root: string): Messages;
export function nested(messages: Messages): Nested;
export function flat(object: Nested): Messages;
