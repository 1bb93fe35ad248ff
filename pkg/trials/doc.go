// Package trials holds what the campaigns beside it share: a ledger of what was pushed and acknowledged, and reading a database as its
// users do. The campaigns try the whole engine: random operations on a bucket that misbehaves (metamorphic), processes killed between any
// two durable steps (kill), and the same on every kind of store (stores).
package trials
