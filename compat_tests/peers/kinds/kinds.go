package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Kinds hands out a value of every kind.
type Kinds struct {
	mu    sync.Mutex
	log   []string
	limit int
}

var _ = exposed.Register[Kinds](exposed.ClassOptions{
	Properties: map[string]exposed.Property{
		"limit": {
			Get: func(k *Kinds) int { return k.limit },
			Set: func(k *Kinds, n int) error {
				if n < 0 {
					return vinegar.ValueError.New("below zero")
				}
				k.limit = n
				return nil
			},
		},
		"fixed": {Get: func(*Kinds) int { return 1 }},
	},
	Hidden: map[string]any{"hidden": 5},
})

func (k *Kinds) note(s string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.log = append(k.log, s)
}

// Log is what has been noted.
func (k *Kinds) Log() brine.Tuple {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := brine.Tuple{}
	for _, s := range k.log {
		t = append(t, s)
	}
	return t
}

// Level is an enumeration by constants.
type Level int

// The levels.
const (
	Low Level = iota
	High
)

// String implements fmt.Stringer.
func (l Level) String() string { return [...]string{"low", "high"}[l] }

// Scalars returns what goes by value.
func (k *Kinds) Scalars() (bool, int8, uint64, float32, string, []byte, [2]int, Level, time.Duration, *int) {
	return true, -3, 1 << 63, 1.5, "text", []byte{0, 255}, [2]int{1, 2}, High, 1500 * time.Millisecond, nil
}

// Levels are the names and numbers of an enumeration that is published as a class.
func (k *Kinds) Levels() *exposed.Class { return levelsClass }

type levels struct{}

var levelsClass = exposed.Register[levels](exposed.ClassOptions{
	Name:   "kinds.Level",
	Static: map[string]any{"LOW": Low, "HIGH": High},
})

// Pair is generic.
type Pair[T any] struct{ First, Second T }

// Swap exchanges the parts.
func (p *Pair[T]) Swap() { p.First, p.Second = p.Second, p.First }

// Pairs returns two instances of a generic type.
func (k *Kinds) Pairs() (*Pair[int], Pair[string]) {
	return &Pair[int]{1, 2}, Pair[string]{"a", "b"}
}

// Base is embedded.
type Base struct{ Name string }

// Hello greets.
func (b *Base) Hello() string { return "hello " + b.Name }

// Derived embeds.
type Derived struct {
	Base
	Extra int
}

// Derived makes one.
func (k *Kinds) Derived() *Derived { return &Derived{Base{"x"}, 5} }

// Ints is a slice, Table a map, Queue a list that grows.
func (k *Kinds) Ints() []int { return []int{3, 1, 2} }

// Table is a map.
func (k *Kinds) Table() map[string]int { return map[string]int{"b": 2, "a": 1, "c": 3} }

// Queue is a list that grows.
func (k *Kinds) Queue() *[]string { return &[]string{"one"} }

// Members is a set.
func (k *Kinds) Members() map[int]struct{} { return map[int]struct{}{1: {}, 2: {}} }

// Chan is a channel of n items.
func (k *Kinds) Chan(n int) <-chan int {
	ch := make(chan int, n)
	for i := range n {
		ch <- i
	}
	close(ch)
	return ch
}

// Count is a generator that notes its end.
func (k *Kinds) Count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		defer k.note("count ended")
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// Enumerate is a generator of pairs.
func (k *Kinds) Enumerate(words ...string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i, w := range words {
			if !yield(i, w) {
				return
			}
		}
	}
}

// Echo is a generator that hears what is sent.
func (k *Kinds) Echo() *exposed.Generator {
	return exposed.NewGenerator(func(yield func(any) (any, error)) error {
		defer k.note("echo ended")
		var got any
		for {
			var err error
			if got, err = yield(got); err != nil {
				if errors.Is(err, vinegar.KeyError) {
					got = "caught"
					continue
				}
				return err
			}
		}
	})
}

// Buffer is a file in memory, TempFile one on disk, Reader one that can only be read.
func (k *Kinds) Buffer(b []byte) *bytes.Buffer { return bytes.NewBuffer(b) }

// TempFile is a file with a name, removed already.
func (k *Kinds) TempFile(b []byte) (*os.File, error) {
	f, err := os.CreateTemp("", "gorpyc-kinds-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, err
	}
	if _, err := f.Write(b); err != nil {
		return nil, err
	}
	_, err = f.Seek(0, io.SeekStart)
	return f, err
}

// Reader reads and nothing else.
func (k *Kinds) Reader(b []byte) io.Reader { return &slowReader{b} }

type slowReader struct{ b []byte }

// Read implements io.Reader, three bytes at a time.
func (r *slowReader) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(3, len(p))], r.b)
	r.b = r.b[n:]
	return n, nil
}

// Time is a time, zone seconds east of UTC.
func (k *Kinds) Time(unix int64, nanoseconds int64, zone int) time.Time {
	t := time.Unix(unix, nanoseconds)
	if zone == 0 {
		return t.UTC()
	}
	return t.In(time.FixedZone(fmt.Sprintf("Z%d", zone), zone))
}

// Since takes a time back.
func (k *Kinds) Since(t, u time.Time) time.Duration { return t.Sub(u) }

// Func is a func value, Upper a package's.
func (k *Kinds) Func() func(int) int { return func(n int) int { return n + 1 } }

// Upper is a func of a package, with its parameter declared.
func (k *Kinds) Upper() *exposed.Function { return exposed.Func(strings.ToUpper, "s").Doc("Capitals.") }

// Fail returns an error that is a value, too.
func (k *Kinds) Fail() error { return fmt.Errorf("outer: %w", os.ErrNotExist) }

// ErrorValue hands out an error as an object.
func (k *Kinds) ErrorValue() *vinegar.Error { return vinegar.KeyError.New("k") }

// OnError takes an exception as a value, and tells its class, its text, and its arguments.
func (k *Kinds) OnError(err error) (any, error) {
	e := vinegar.FromError(err)
	if e == nil {
		return nil, nil
	}
	args, err := exposed.Repr(context.Background(), brine.Tuple(e.Args))
	return brine.Tuple{e.Class.Name(), e.Message(), args, errors.Is(e, vinegar.LookupError)}, err
}

// OnErrors takes several.
func (k *Kinds) OnErrors(errs []error, last *vinegar.Error) string {
	return errors.Join(append(errs, last)...).Error()
}

// Catcher is a generator that tells what was thrown at it.
func (k *Kinds) Catcher() *exposed.Generator {
	return exposed.NewGenerator(func(yield func(any) (any, error)) error {
		var got any
		for {
			_, err := yield(got)
			if errors.Is(err, vinegar.GeneratorExit) {
				return err
			}
			if got = nil; err != nil {
				if got, err = k.OnError(err); err != nil {
					return err
				}
			}
		}
	})
}

// Named is asked for by its String.
type Named struct{ n int }

// String implements fmt.Stringer.
func (n *Named) String() string { return fmt.Sprintf("number %d", n.n) }

// Stringer makes one.
func (k *Kinds) Stringer() fmt.Stringer { return &Named{7} }

// Stop is copied out wherever it goes, Trip where a method says so.
type Stop struct {
	City string
	Km   float64
	seen bool
}

var _ = exposed.Register[Stop](exposed.ClassOptions{Copy: exposed.AsPairs})

// Trip has a list and a map, and may be part of itself.
type Trip struct {
	Name  string
	Stops []*Stop
	Count map[string]int
	Again *Trip
	Payer *Account
	When  time.Time `rpyc:"-"`
}

func trip() *Trip {
	return &Trip{Name: "t", Stops: []*Stop{{"a", 1.5, true}, {"b", 2, false}}, Count: map[string]int{"x": 1, "y": 2},
		Payer: payer}
}

var payer = &Account{balance: 8}

// Stop is copied because of its type.
func (k *Kinds) Stop() *Stop { return &Stop{"a", 1.5, true} }

// Trips returns a trip by reference, as a tuple, as pairs, and one that contains itself.
func (k *Kinds) Trips() (*Trip, any, any, any) {
	again := trip()
	again.Again = again
	return trip(), exposed.AsTuple.Of(trip()), exposed.AsPairs.Of(*trip()), exposed.AsTuple.Of(again)
}

// Account has a property whose setter may fail.
type Account struct{ balance int }

var accountClass = exposed.Register[Account](exposed.ClassOptions{
	Name: "kinds.Account",
	Doc:  "An account.",
	New:  exposed.Func(func(balance int) *Account { return &Account{balance} }, "balance=0"),
	Properties: map[string]exposed.Property{"balance": {
		Doc: "What is there.",
		Get: func(a *Account) int { return a.balance },
		Set: func(a *Account, v int) error {
			if v < 0 {
				return vinegar.ValueError.New("no credit")
			}
			a.balance = v
			return nil
		},
	}},
	Static: map[string]any{"CURRENCY": "EUR"},
	Docs:   map[string]string{"Deposit": "Put money in."},
	Params: map[string][]string{"Deposit": {"amount", "*", "note=''"}},
})

// Savings derives from Account.
type Savings struct {
	Account
	Rate float64
}

var savingsClass = exposed.Register[Savings](exposed.ClassOptions{
	Name: "kinds.Savings", Bases: []*exposed.Class{accountClass},
	New: exposed.Func(func(rate float64) *Savings { return &Savings{Rate: rate} }, "rate"),
})

// Deposit adds money.
func (a *Account) Deposit(amount int, note string) string {
	a.balance += amount
	return note
}

// Classes publishes classes.
func (k *Kinds) Classes() (account, savings *exposed.Class) { return accountClass, savingsClass }

// Isinstance is isinstance, asked here.
func (k *Kinds) Isinstance(ctx context.Context, v, class any) (bool, error) {
	return exposed.IsInstance(ctx, v, class)
}

// Restricted shows a part of an account.
func (k *Kinds) Restricted() any {
	return exposed.Restricted(&Account{5}, []string{"balance", "deposit"}, []string{"balance"})
}
