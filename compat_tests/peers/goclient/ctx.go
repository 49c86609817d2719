package main

import (
	"context"
	"errors"
	"strings"

	"github.com/gorpyc/gorpyc/netref"
)

func contextManagers(ctx context.Context, c *client) error {
	manager := func(ctx context.Context, args ...any) (*netref.Object, error) {
		return netref.Call[*netref.Object](ctx, c.root, "ctx", args...)
	}
	// use runs a block that fails, or not, inside a context manager of the service's.
	use := func(ctx context.Context, suppress bool, failure error) (entered any, err error) {
		m, err := manager(ctx, c.tag+"-u", suppress)
		if err != nil {
			return nil, err
		}
		err = m.With(ctx, func(v any) error {
			entered = v
			return failure
		})
		return entered, err
	}
	failure := errors.New("x")
	step(ctx, c, "enter", func(ctx context.Context) (any, error) {
		m, err := manager(ctx, c.tag)
		if err != nil {
			return nil, err
		}
		return m.CallMethod(ctx, "__enter__")
	})
	step(ctx, c, "use", func(ctx context.Context) (any, error) { return use(ctx, false, nil) })
	step(ctx, c, "suppressed", func(ctx context.Context) (bool, error) {
		_, err := use(ctx, true, failure)
		return err == nil, err
	})
	step(ctx, c, "passed", func(ctx context.Context) (bool, error) {
		_, err := use(ctx, false, failure)
		if errors.Is(err, failure) {
			return true, nil
		}
		return false, err
	})
	step(ctx, c, "log", func(ctx context.Context) (lines []string, err error) {
		all, err := c.events(ctx)
		for _, line := range all {
			if strings.Contains(line, c.tag+"-u") {
				lines = append(lines, strings.ReplaceAll(line, c.tag, "TAG"))
			}
		}
		return lines, err
	})

	one, two, three := &Manager{}, &Manager{suppress: true}, &Manager{}
	c.call(ctx, "mine", "use_ctx", one)
	c.call(ctx, "mine suppresses", "fail_in_ctx", two)
	c.call(ctx, "mine passes", "fail_in_ctx", three)
	step(ctx, c, "mine log", func(context.Context) ([][]string, error) {
		return [][]string{one.log, two.log, three.log}, nil
	})
	return nil
}

// Manager is a context manager that the service uses.
type Manager struct {
	suppress bool
	log      []string
}

// PyEnter begins the context.
func (m *Manager) PyEnter() string {
	m.log = append(m.log, "enter")
	return "entered"
}

// PyExit ends the context; exc is what ended it, nil for nothing.
func (m *Manager) PyExit(exc any) bool {
	if exc != nil {
		m.log = append(m.log, "failed")
	} else {
		m.log = append(m.log, "exit")
	}
	return m.suppress
}
