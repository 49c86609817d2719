// Command oldpeer is the Go side of compat_tests/test_old_releases.py: "oldpeer serve" is the service of
// reference/old_service.py and prints READY host port, "oldpeer call HOST PORT" prints what a Go client sees of that
// service, "oldpeer classic HOST PORT" what it sees of a classic server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/servers"

	"github.com/gorpyc/gorpyc/brine"
)

// Box is passed by reference.
type Box struct{ value any }

// Get returns what is in the box.
func (b *Box) Get() any          { return b.value }
func (*Box) PyLen() int          { return 3 }
func (*Box) PyEq(other any) bool { return other == int64(3) }
func (*Box) PyHash() int         { return 7 }
func (*Box) String() string      { return "a box" }

// PyEnter makes the box a context manager.
func (b *Box) PyEnter() any                 { return b.value }
func (*Box) PyExit(error) (suppressed bool) { return false }

type service struct{}

func (service) Add(ctx context.Context, a, b any) (any, error) {
	return exposed.Operate(ctx, "__add__", a, b)
}

func (service) Items() []any { return []any{1, 2, brine.Tuple{3, true, nil, 1.5}} }

func (service) Table() map[int]any { return map[int]any{1: 10, 2: []int{20}} }

func (service) Call(ctx context.Context, f func(ctx context.Context, n int) (int, error), n int) (int, error) {
	r, err := f(ctx, n)
	return r + 1, err
}

func (service) Fail() error { return vinegar.ValueError.New("bad", 3) }

func (service) Box(value any) *Box { return &Box{value} }

func (service) Count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

func (service) Shout(word string, more []string, counts map[string]string) string {
	for _, m := range more {
		word += m
	}
	for k := range counts {
		word += k
	}
	return strings.ToUpper(word)
}

func (service) Read(path string) (string, error) {
	b, err := os.ReadFile(path)
	return string(b), err
}

func (service) Total(numbers []int) (sum int) {
	for _, n := range numbers {
		sum += n
	}
	return sum
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "oldpeer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "serve":
		return serve(ctx)
	case len(args) == 3 && args[0] == "call":
		return call(ctx, net.JoinHostPort(args[1], args[2]))
	case len(args) == 3 && args[0] == "classic":
		return useClassic(ctx, net.JoinHostPort(args[1], args[2]))
	}
	return errors.New("usage: oldpeer serve | oldpeer call HOST PORT | oldpeer classic HOST PORT")
}

func serve(ctx context.Context) error {
	exposed.Register[service](exposed.ClassOptions{Static: map[string]any{
		"keywords": exposed.Func(func(a, b int) int { return a*10 + b }, "a", "b=5"),
	}})
	l, err := transport.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &servers.Server{Service: service{}}
	fmt.Println("READY 127.0.0.1", l.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = srv.Close()
	}()
	_ = srv.Serve(ctx, l)
	return nil
}

// show prints what an operation gave.
func show(name string, v any, err error) {
	var e *vinegar.Error
	switch {
	case errors.As(err, &e):
		fmt.Println(name, e.Class.Name(), e.Args)
	case err != nil:
		fmt.Println(name, "error", err)
	default:
		fmt.Println(name, v)
	}
}

func call(ctx context.Context, addr string) error {
	conn, err := protocol.Dial(ctx, "tcp", addr, nil)
	if err != nil {
		return err
	}
	root := conn.Root()
	ask(ctx, root)
	if _, err := conn.Ping(ctx); err != nil {
		return err
	}
	for n := 0; conn.Imported() > 1; n++ { // all but the root are given back when nobody uses them
		if n == 1000 {
			return fmt.Errorf("%d references are still held", conn.Imported())
		}
		runtime.GC()
		time.Sleep(10 * time.Millisecond)
	}
	return conn.Close()
}

func ask(ctx context.Context, root *netref.Object) {
	sum, err := netref.Call[int](ctx, root, "add", 2, 3)
	show("add", sum, err)
	sum, err = netref.Call[int](ctx, root, "keywords", 1, netref.Kw("b", 2))
	show("keyword", sum, err)
	items, err := netref.Call[[]any](ctx, root, "items")
	show("items", items, err)
	table, err := netref.Call[map[int]any](ctx, root, "table")
	show("table", table[1], err)
	sum, err = netref.Call[int](ctx, root, "call", func(n int) int { return n * 10 }, 4)
	show("callback", sum, err)
	sum, err = netref.Call[int](ctx, root, "total", []int{1, 2, 3})
	show("argument", sum, err)
	type named struct {
		Name  string `rpyc:"Name"`
		Count int    `rpyc:"Count"`
	}
	words, err := netref.Call[[]any](ctx, root, "words")
	show("words", len(words), err)
	if err != nil {
		return
	}
	texts, err := netref.As[map[string]string](ctx, words[0])
	show("texts of a dict", texts, err)
	list, err := netref.As[[]string](ctx, words[1])
	show("texts of a list", list, err)
	record, err := netref.As[named](ctx, words[2])
	show("texts of a struct", record, err)
	_, err = netref.Call[any](ctx, root, "fail")
	show("error", nil, err)
	_, err = netref.Call[any](ctx, root, "missing")
	show("missing", errors.Is(err, os.ErrNotExist), nil)
	_, err = netref.Get[any](ctx, root, "nothing")
	show("nothing", errors.Is(err, vinegar.AttributeError), nil)
	var counted []any
	gen, err := netref.Call[*netref.Object](ctx, root, "count", 4)
	if err == nil {
		for v, e := range gen.Iter(ctx) {
			counted, err = append(counted, v), errors.Join(err, e)
		}
	}
	show("generator", counted, err)
	b, err := netref.Call[*netref.Object](ctx, root, "box", 9)
	show("box", b, err)
	if err != nil {
		return
	}
	v, err := netref.Call[int](ctx, b, "get")
	show("method", v, err)
	n, err := b.Len(ctx)
	show("size", n, err)
	eq, err := b.Equal(ctx, 3)
	show("equal", eq, err)
	text, err := b.Str(ctx)
	show("text", text, err)
}
