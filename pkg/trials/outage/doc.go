// Package outage takes the bucket away from an engine for ten minutes of simulated time. It has a test only.
package outage
