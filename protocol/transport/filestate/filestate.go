// Package filestate tells whether a file may have changed since it was read, without reading it again. It is for the
// packages of this module: no promise of compatibility is made for it.
package filestate

import (
	"os"
	"time"
)

// clockTick is how far apart two changes of a file are to have different times, on every file system.
const clockTick = 2 * time.Second

// State is what a file looked like. The zero value is that of no file, which differs from all.
type State struct {
	os.FileInfo
	settled bool // a later change shows in the time of modification
}

// Look finds out what a file looks like, before it is read.
func Look(path string) (State, error) {
	info, err := os.Stat(path)
	if err != nil {
		return State{}, err
	}
	return State{info, time.Since(info.ModTime()) >= clockTick}, nil
}

// Unchanged reports whether a file that looks like s is certainly what it was when it looked like before: one that had
// just been written then may have been written once more in the same moment.
func (s State) Unchanged(before State) bool {
	return s.FileInfo != nil && before.settled && os.SameFile(s, before) && s.ModTime().Equal(before.ModTime()) &&
		s.Size() == before.Size()
}
