//go:build race

package netref_test

const raceEnabled = true
