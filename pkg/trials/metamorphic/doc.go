// Package metamorphic runs random operation sequences on the whole engine over a bucket that misbehaves, and holds what comes out against
// a ledger of what went in. It has tests only.
//
// Time is simulated: an outage of ten minutes takes no time. A sequence is chosen by its seed, which a failure prints.
//
//	CAMBIUM_TRIAL_SEED=n        run one sequence, and say what it does
//	CAMBIUM_TRIAL_SEQUENCES=n   run that many instead of the default
//	CAMBIUM_SOAK=10m            TestSoak runs new sequences for so long
package metamorphic
