// Package kill kills processes that push, flush, compact and delete, at every named point between two durable steps and at random, and holds
// what they acknowledged against what is there afterwards. It has tests only.
//
//	CAMBIUM_KILL_ROUNDS=n   run that many rounds instead of the default
//	CAMBIUM_SOAK=10m        TestSoak runs rounds for so long
package kill
