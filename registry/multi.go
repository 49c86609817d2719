package registry

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// Multi is several registries in one [Registrar], asked at the same time. Of an empty one every method fails with
// [ErrNoAnswer].
type Multi []Registrar

var _ Registrar = Multi(nil)

// Discover returns the first answer that has an endpoint. It fails only if none of the registries answers.
func (m Multi) Discover(ctx context.Context, name string) ([]Endpoint, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // the others need not go on
	type answer struct {
		eps []Endpoint
		err error
	}
	answers := make(chan answer, len(m))
	for _, r := range m {
		go func() {
			eps, err := r.Discover(ctx, name)
			answers <- answer{eps, err}
		}()
	}
	var errs []error
	for range m {
		a := <-answers
		if a.err != nil {
			errs = append(errs, a.err)
		} else if len(a.eps) > 0 {
			return a.eps, nil
		}
	}
	return nil, m.failure(errs)
}

// List returns all names that any of the registries knows. It fails only if all do.
func (m Multi) List(ctx context.Context, host string) ([]string, error) {
	var mu sync.Mutex
	names := []string{}
	err := m.each(func(r Registrar) error {
		some, err := r.List(ctx, host)
		mu.Lock()
		defer mu.Unlock()
		for _, name := range some {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return names, nil
}

// Register registers with all. It succeeds if one registry has acknowledged; the others get another chance at the next
// renewal.
func (m Multi) Register(ctx context.Context, names []string, ep Endpoint) error {
	return m.each(func(r Registrar) error { return r.Register(ctx, names, ep) })
}

// Unregister unregisters from all.
func (m Multi) Unregister(ctx context.Context, ep Endpoint) error {
	return m.each(func(r Registrar) error { return r.Unregister(ctx, ep) })
}

// each does something with all registrars at once and waits for them.
func (m Multi) each(do func(Registrar) error) error {
	errs := make([]error, len(m))
	var wg sync.WaitGroup
	for i, r := range m {
		wg.Go(func() { errs[i] = do(r) })
	}
	wg.Wait()
	return m.failure(slices.DeleteFunc(errs, func(err error) bool { return err == nil }))
}

// failure is nil unless all have failed.
func (m Multi) failure(errs []error) error {
	switch {
	case len(m) == 0:
		return ErrNoAnswer
	case len(errs) < len(m):
		return nil
	}
	return errors.Join(errs...)
}
