//go:build unix

package modules

import (
	"context"
	"os"
	"sync"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// scanner is the iterator that os.scandir returns.
type scanner struct {
	mu   sync.Mutex
	left []*dirEntry
}

// dirEntry is os.DirEntry.
type dirEntry struct {
	in   *Interpreter
	e    os.DirEntry
	path string
	back func(string) any
}

func (in *Interpreter) scan(path string, back func(string) any, given any) (*scanner, error) {
	entries, err := readDir(path)
	if err != nil {
		return nil, fileError(err, given)
	}
	s := new(scanner)
	for _, e := range entries {
		s.left = append(s.left, &dirEntry{in: in, e: e, path: joined(path, e.Name()), back: back})
	}
	return s, nil
}

var _ = exposed.Register[scanner](exposed.ClassOptions{Name: "posix.ScandirIterator", Hidden: map[string]any{
	"close":     (*scanner).close,
	"__enter__": func(s *scanner) *scanner { return s },
	"__exit__":  func(s *scanner, _ ...any) { s.close() },
	"__iter__":  func(s *scanner) *scanner { return s },
	"__next__": func(s *scanner) (*dirEntry, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.left) == 0 {
			return nil, vinegar.StopIteration.New()
		}
		e := s.left[0]
		s.left = s.left[1:]
		return e, nil
	},
}})

func (s *scanner) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = nil
}

// is answers what kind of file an entry is; a link is followed if asked for, a broken one is nothing.
func (d *dirEntry) is(follow bool, test func(os.FileMode) bool) bool {
	mode := d.e.Type()
	if mode&os.ModeSymlink != 0 && follow {
		fi, err := os.Stat(d.path)
		return err == nil && test(fi.Mode())
	}
	return test(mode)
}

var _ = exposed.Register[dirEntry](exposed.ClassOptions{
	Name: "posix.DirEntry",
	Properties: map[string]exposed.Property{
		"name": {Hidden: true, Get: func(d *dirEntry) any { return d.back(d.e.Name()) }},
		"path": {Hidden: true, Get: func(d *dirEntry) any { return d.back(d.path) }},
	},
	Hidden: map[string]any{
		"is_dir": exposed.Func(func(d *dirEntry, follow bool) bool {
			return d.is(follow, os.FileMode.IsDir)
		}, "*", "follow_symlinks=True"),
		"is_file": exposed.Func(func(d *dirEntry, follow bool) bool {
			return d.is(follow, os.FileMode.IsRegular)
		}, "*", "follow_symlinks=True"),
		"is_symlink": func(d *dirEntry) bool { return d.e.Type()&os.ModeSymlink != 0 },
		"stat": exposed.Func(func(d *dirEntry, ctx context.Context, follow bool) (any, error) {
			return d.in.stat(ctx, "stat", d.back(d.path), follow)
		}, "*", "follow_symlinks=True"),
		"inode": func(d *dirEntry, ctx context.Context) (any, error) {
			st, err := d.in.stat(ctx, "stat", d.back(d.path), false)
			if err != nil {
				return nil, err
			}
			return st.items[1], nil
		},
		"__fspath__": func(d *dirEntry) any { return d.back(d.path) },
		"__repr__":   func(d *dirEntry) string { return "<DirEntry " + vinegar.Repr(d.back(d.e.Name())) + ">" },
	},
})
