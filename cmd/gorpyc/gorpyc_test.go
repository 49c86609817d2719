package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/classic/slave"
	"github.com/gorpyc/gorpyc/cmd/internal/program"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/servers"
)

// calculator is what the commands are tried on.
type calculator struct {
	Rate  int
	Inner *inner
}

type inner struct{ Name string }

func (*calculator) Add(a, b int) int             { return a + b }
func (*calculator) Echo(args ...any) brine.Tuple { return args }
func (*calculator) Kw(kw ...netref.Keyword) string {
	var b strings.Builder
	for _, k := range kw {
		b.WriteString(k.Name + "=" + vinegar.Repr(k.Value) + ";")
	}
	return b.String()
}
func (*calculator) Items() []any { return []any{int64(1), "two", map[any]any{"k": []byte("x")}} }
func (*calculator) Div(a, b int) (int, error) {
	if b == 0 {
		return 0, vinegar.ZeroDivisionError.New("division by zero")
	}
	return a / b, nil
}
func (*calculator) Sleep(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func (i *inner) Hello() string { return "hello " + i.Name }

// serve serves v over a listener of the network and returns its address.
func serve(t *testing.T, v any, network, addr string, configure func(*servers.Server)) string {
	t.Helper()
	l, err := transport.Listen(t.Context(), network, addr)
	require.NoError(t, err)
	srv := &servers.Server{Service: v, Config: &protocol.Config{Access: exposed.Policy{AllowSet: true}}}
	if configure != nil {
		configure(srv)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(context.Background(), l) }()
	t.Cleanup(func() {
		require.NoError(t, srv.Close())
		<-ended
	})
	return l.Addr().String()
}

func serveCalculator(t *testing.T) string {
	return serve(t, &calculator{Rate: 3, Inner: &inner{Name: "Ann"}}, "tcp", "127.0.0.1:0", nil)
}

func serveClassic(t *testing.T) string {
	return serve(t, nil, "tcp", "127.0.0.1:0", func(s *servers.Server) {
		s.NewService, s.Config = slave.New(nil), slave.Config(nil)
	})
}

// gorpyc runs a command line.
func gorpyc(t *testing.T, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context()) // with no deadline, which would take the place of --timeout
	defer time.AfterFunc(30*time.Second, cancel).Stop()
	defer cancel()
	var out, errs bytes.Buffer
	code = run(ctx, append([]string{"gorpyc"}, args...), strings.NewReader(stdin), &out, &errs)
	return out.String(), errs.String(), code
}

func TestObjects(t *testing.T) {
	addr := serveCalculator(t)
	for _, tt := range []struct {
		name, args, want string // ADDR stands for the address; arguments are divided by |
		code             int
	}{
		{"call", "call|ADDR|add|2|3", "5\n", 0},
		{"negative", "call|ADDR|add|2|-3", "-1\n", 0},
		{"literals", "call|ADDR|echo|2|-1.5|'a b'|b'x'|True|None|(1, 2)|foo|1+2j|10.0.0.1|",
			"(2, -1.5, 'a b', b'x', True, None, (1, 2), 'foo', (1+2j), '10.0.0.1', '')\n", 0},
		{"big", "call|ADDR|echo|123456789012345678901234567890|-9223372036854775808",
			"(123456789012345678901234567890, -9223372036854775808)\n", 0},
		{"dashes", "call|ADDR|echo|--|--kw|-x", "('--kw', '-x')\n", 0},
		{"keywords", "call|--kw|a=1|ADDR|kw|-k|b=[x,y]|-k|c=d=e", "", 2},
		{"keywords", "call|ADDR|kw|--kw|a=1|-k|c=d=e", "\"a=1;c='d=e';\"\n", 0},
		{"options first", "--timeout|5s|call|ADDR|add|1|1", "2\n", 0},
		{"by reference", "call|ADDR|items", "[1, 'two', {'k': b'x'}]\n", 0},
		{"json", "call|ADDR|items|--json", `[1,"two",{"k":{"bytes":"eA=="}}]` + "\n", 0},
		{"containers", "call|ADDR|echo|[1, 'a']|{'a': 1}|--json", `[[1,"a"],{"a":1}]` + "\n", 0},
		{"path", "call|ADDR|inner.hello", "'hello Ann'\n", 0},
		{"exception", "call|ADDR|div|1|0", "", 1},
		{"no such method", "call|ADDR|nothing", "", 1},
		{"get", "get|ADDR|inner.name", "'Ann'\n", 0},
		{"set", "set|ADDR|inner.name|Bob", "", 0},
		{"was set", "get|ADDR|inner.name", "'Bob'\n", 0},
		{"path through a value", "get|ADDR|rate.real.imag", "", 2},
		{"set a service", "set|ADDR|rate|5", "", 1},
		{"ls", "ls|ADDR|inner", "hello()\nname\n", 0},
		{"too few", "call|ADDR", "", 2},
		{"too many", "get|ADDR|a|b", "", 2},
		{"no address", "call", "", 2},
		{"bad address", "call|host:nonsense|add", "", 2},
		{"bad literal", "call|ADDR|echo|[1,", "", 2},
		{"bad keyword", "call|ADDR|echo|--kw|=1", "", 2},
		{"bad option", "call|ADDR|echo|--nope", "", 2},
		{"option without value", "call|ADDR|echo|--timeout", "", 2},
		{"bad command", "frobnicate", "", 2},
		{"no command", "", "", 2},
		{"timeout", "call|ADDR|sleep|--timeout|50ms", "", 4},
		{"seconds", "call|ADDR|sleep|--timeout|0.05", "", 4},
		{"seconds", "call|ADDR|sleep|--timeout=.05", "", 4},
		{"no seconds", "call|ADDR|sleep|--timeout|soon", "", 2},
		{"items", "call|ADDR|items|--items", "1\n'two'\n{'k': b'x'}\n", 0},
		{"items of a tuple", "call|ADDR|echo|1|2|--items|--json", "1\n2\n", 0},
		{"items of what has none", "call|ADDR|add|1|2|--items", "", 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var args []string
			if tt.args != "" {
				args = strings.Split(strings.ReplaceAll(tt.args, "ADDR", addr), "|")
			}
			out, errs, code := gorpyc(t, "", args...)
			require.Equal(t, tt.code, code, errs)
			if tt.code == 0 {
				require.Equal(t, tt.want, out)
				require.Empty(t, errs)
			} else {
				require.NotEmpty(t, errs)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	addr := serveCalculator(t)
	_, errs, code := gorpyc(t, "", "call", addr, "div", "1", "0")
	require.Equal(t, exitException, code)
	require.Equal(t, "gorpyc: ZeroDivisionError: division by zero\n", errs)
	_, errs, _ = gorpyc(t, "", "call", addr, "div", "1", "0", "--traceback")
	require.True(t, strings.HasPrefix(errs, "Traceback (most recent call last):\n"), errs)
	_, errs, code = gorpyc(t, "", "call", addr, "div", "1", "0", "--json")
	require.Equal(t, exitException, code)
	require.JSONEq(t, `{"error": {"kind": "exception", "class": "ZeroDivisionError", "message": "division by zero",
		"args": ["'division by zero'"]}}`, errs)

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	free := l.Addr().String()
	require.NoError(t, l.Close())
	_, errs, code = gorpyc(t, "", "call", free, "add")
	require.Equal(t, exitConnection, code, errs)

	for _, args := range [][]string{{"eval", addr, "1"}, {"exec", addr, "x = 1"}, {"download", addr, "x", t.TempDir()},
		{"ls", "--classic", addr, "os"}} {
		_, errs, code = gorpyc(t, "", args...)
		require.Equal(t, exitException, code, errs)
		require.Regexp(t, `^gorpyc: AttributeError: .*'(eval|execute|getmodule)' \(it is no classic server\)\n$`, errs)
	}
	_, errs, _ = gorpyc(t, "", "call", addr)
	require.Equal(t, "gorpyc: want a method's name (try --help)\n", errs)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, exitInterrupted, run(ctx, []string{"gorpyc", "call", addr, "add", "1", "2"}, strings.NewReader(""),
		io.Discard, io.Discard))
	require.Equal(t, exitFailed, exitCode(t.Context(), os.ErrNotExist))
	require.Equal(t, exitConnection, exitCode(t.Context(), &protocol.ClosedError{Cause: errors.New("x")}))
}

func TestInspect(t *testing.T) {
	addr := serveCalculator(t)
	out, errs, code := gorpyc(t, "", "inspect", addr, "inner", "--json")
	require.Zero(t, code, errs)
	var got struct {
		Class   string
		Members []member
	}
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Contains(t, got.Class, "inner")
	require.Len(t, got.Members, 2)
	require.True(t, got.Members[0].Method)
}

// converter has methods whose parameters are declared.
type converter struct {
	Plain  func(a, b int) int
	Scaled *exposed.Function
	Ratio  any
}

type ratio struct{ Num, Den int }

// TestSignatures asks a service in Go, with RPyC's default policy, and one that shows nothing else.
func TestSignatures(t *testing.T) {
	class := exposed.Register[ratio](exposed.ClassOptions{Name: "units.Ratio",
		New: exposed.Func(func(num, den int) ratio { return ratio{num, den} }, "num", "den=1")})
	scaled := exposed.Func(func(x float64, by int, unit string) float64 { return x }, "x", "by=2", "*", "unit='m'").
		Doc("Scales x.\nIn metres.")
	service := &converter{Plain: func(a, b int) int { return a }, Scaled: scaled, Ratio: class}
	for _, prefix := range []string{"", "open_"} {
		addr := serve(t, service, "tcp", "127.0.0.1:0", func(s *servers.Server) { s.Config.Access.Prefix = prefix })
		out, errs, code := gorpyc(t, "", "inspect", addr, "scaled")
		require.Zero(t, code, errs)
		require.Equal(t, "function scaled(x, by=2, *, unit='m')\n    Scales x.\n    In metres.\n", out)
		out, _, _ = gorpyc(t, "", "inspect", addr, "scaled", "--json")
		require.JSONEq(t, `{"class": "builtins.function", "name": "scaled", "kind": "function", "members": [],
			"signature": "(x, by=2, *, unit='m')", "doc": "Scales x.\nIn metres."}`, out)
		out, _, _ = gorpyc(t, "", "inspect", addr, "ratio")
		require.Regexp(t, `^class units.Ratio\(num, den=1\)\n`, out)
		out, _, _ = gorpyc(t, "", "inspect", addr, "plain")
		require.Regexp(t, `^function plain\(.*, .*\)\n$`, out)
	}
	addr := serveCalculator(t)
	out, _, _ := gorpyc(t, "", "inspect", addr)
	require.Regexp(t, `(?m)^  add\(.*, .*\)$`, out)
	out, _, _ = gorpyc(t, "", "inspect", addr, "inner.hello")
	require.Equal(t, "method hello()\n", out)
	out, _, _ = gorpyc(t, "", "ls", "-l", addr, "inner")
	require.Equal(t, "method     hello()\nattribute  name\n", out)
	out, _, _ = gorpyc(t, "", "ls", "-l", addr, "inner", "--json")
	require.JSONEq(t, `[{"name": "hello", "kind": "method", "method": true, "signature": "()"},
		{"name": "name", "kind": "attribute", "method": false}]`, out)
}

func TestShell(t *testing.T) {
	addr := serveCalculator(t)
	out, errs, code := gorpyc(t, `add(2, 3)
x = items()
x[1]
x[0] = 'new'
x
len(x)
root.inner.name
rate = 7
rate
root.inner.name = "Bob"
root.inner.name
kw(a=1)
div(1, 0)
1 +
_
quit
add(1, 1)
`, "shell", addr)
	require.Zero(t, code)
	require.Equal(t, "5\n'two'\n['new', 'two', {'k': b'x'}]\n3\n'Ann'\n7\n'Bob'\n'a=1;'\n'a=1;'\n", out)
	require.Equal(t, 2, strings.Count(errs, "\n"), errs)
	require.Contains(t, errs, "ZeroDivisionError: division by zero\n")

	conn, err := protocol.Dial(t.Context(), "tcp", addr, nil)
	require.NoError(t, err)
	defer conn.Close()
	s := newShell(t.Context(), &session{Conn: conn, out: &printer{w: io.Discard}}, io.Discard, false)
	require.Equal(t, []string{"div("}, s.complete(t.Context(), "div"))
	require.Equal(t, []string{"root.inner.hello("}, s.complete(t.Context(), "root.inner.h"))
	names, _, code := gorpyc(t, "", "complete", "--", "call", "--timeout", "5", addr, "inner.h")
	require.Zero(t, code)
	require.Equal(t, "inner.hello\ninner.name\n", names)
	require.Equal(t, []string{"call", "host:1", "a=1", ""},
		rejoined([]string{"call", "host", ":", "1", "a", "=", "1", ""}))
	require.Nil(t, s.complete(t.Context(), "nothing.at.all"))
}

func TestClassic(t *testing.T) {
	addr := serveClassic(t)
	dir := t.TempDir()
	local, remote, back := filepath.Join(dir, "a.txt"), filepath.Join(dir, "b.txt"), filepath.Join(dir, "c.txt")
	data := strings.Repeat("0123456789", 20000)
	require.NoError(t, os.WriteFile(local, []byte(data), 0o600))
	out, errs, code := gorpyc(t, "", "eval", addr, "[i * 2 for i in range(3)]")
	require.Zero(t, code, errs)
	require.Equal(t, "[0, 2, 4]\n", out)
	_, errs, code = gorpyc(t, "", "upload", addr, local, remote, "--progress")
	require.Zero(t, code, errs)
	require.Contains(t, errs, "[##############################] 100% 195.3 KiB")
	_, errs, code = gorpyc(t, "", "download", addr, remote, back)
	require.Zero(t, code, errs)
	require.Empty(t, errs)
	got, err := os.ReadFile(back)
	require.NoError(t, err)
	require.Equal(t, data, string(got))
	out, errs, code = gorpyc(t, "", "download", addr, remote, "-")
	require.Zero(t, code, errs)
	require.Equal(t, data, out)
	out, errs, code = gorpyc(t, "", "call", "--classic", addr, "os.path.join", "a", "b")
	require.Zero(t, code, errs)
	require.Equal(t, "'a/b'\n", out)
	_, errs, code = gorpyc(t, "", "call", "--classic", addr, "nosuch.path.join", "a")
	require.Equal(t, exitException, code)
	require.Equal(t, "gorpyc: ModuleNotFoundError: No module named 'nosuch'\n", errs)
	out, _, _ = gorpyc(t, "", "exec", addr, "print('hello')")
	require.Equal(t, "hello\n", out)
	restricted := serve(t, nil, "tcp", "127.0.0.1:0", func(s *servers.Server) {
		s.NewService = slave.New(&slave.Options{Modules: modules.Options{Allow: func(name string) bool {
			return name == "os"
		}}})
		s.Config = slave.Config(nil)
	})
	_, errs, code = gorpyc(t, "", "exec", restricted, "x = 1")
	require.Equal(t, exitException, code)
	require.Contains(t, errs, "No module named 'sys' (the server's streams cannot be redirected; --no-stdio leaves them "+
		"alone)")
	_, errs, code = gorpyc(t, "", "exec", restricted, "x = 1", "--no-stdio")
	require.Zero(t, code, errs)
	_, _, code = gorpyc(t, "", "upload", addr, filepath.Join(dir, "nothing"), remote)
	require.Equal(t, exitFailed, code)
	_, errs, code = gorpyc(t, "", "download", addr, filepath.Join(dir, "nothing"), back)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "there is no such file")
	_, _, code = gorpyc(t, "", "upload", addr, local, filepath.Join(dir, "no", "such", "place"))
	require.Equal(t, exitException, code)
}

func TestUnixAndRegistry(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	serve(t, &calculator{}, "unix", path, nil)
	out, errs, code := gorpyc(t, "", "call", "--unix", path, "add", "1", "2")
	require.Zero(t, code, errs)
	require.Equal(t, "3\n", out)

	reg := &registry.Server{AllowListing: true}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go reg.ServeTCP(context.Background(), l)
	t.Cleanup(func() { require.NoError(t, reg.Close()) })
	addr := serveCalculator(t)
	client := &registry.TCPClient{Addr: l.Addr().String()}
	tcp, err := net.ResolveTCPAddr("tcp", addr)
	require.NoError(t, err)
	require.NoError(t, client.Register(t.Context(), []string{"CALCULATOR"}, registry.EndpointOf(tcp)))
	at := "tcp://" + l.Addr().String()
	out, errs, code = gorpyc(t, "", "list", "--registry", at, "--table")
	require.Zero(t, code, errs)
	require.Regexp(t, `^SERVICE +ADDRESS\n\S+ +\S+:\d+\n`, out)
	out, errs, code = gorpyc(t, "", "list", "--registry", at)
	require.Zero(t, code, errs)
	require.Equal(t, "CALCULATOR\n", out)
	out, _, _ = gorpyc(t, "", "discover", "calculator", "--registry", at)
	require.Equal(t, addr+"\n", out)
	out, errs, code = gorpyc(t, "", "call", "--service", "calculator", "--registry", at, "add", "1", "2")
	require.Zero(t, code, errs)
	require.Equal(t, "3\n", out)
	_, _, code = gorpyc(t, "", "discover", "nobody", "--registry", at)
	require.Equal(t, exitConnection, code)
}

func TestPingAndBench(t *testing.T) {
	addr := serveCalculator(t)
	out, errs, code := gorpyc(t, "", "ping", addr, "-c", "2", "-i", "1ms")
	require.Zero(t, code, errs)
	require.Regexp(t, `^connected to \S+ in \S+: RPyC 6 \(family D\)\nping 1: `, out)
	require.Contains(t, out, "ping 2: ")
	require.Contains(t, out, "2 pings, min ")
	out, errs, code = gorpyc(t, "", "bench", addr, "add", "1", "2", "--calls", "40", "-n", "2", "-c", "2", "--json")
	require.Zero(t, code, errs)
	var got summary
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, 40, got.Count)
	require.True(t, 0 < got.Min && got.Min <= got.P50 && got.P50 <= got.P90 && got.P90 <= got.P99 && got.P99 <= got.Max,
		out)
	_, _, code = gorpyc(t, "", "bench", addr, "div", "1", "0", "--calls", "5")
	require.Equal(t, exitException, code)

	var s samples
	for i := range 100 {
		s = append(s, time.Duration(i+1))
	}
	require.Equal(t, []time.Duration{50, 90, 99, 100}, []time.Duration{s.percentile(50), s.percentile(90),
		s.percentile(99), s.percentile(100)})
}

// lines is a writer that hands on the first line.
type lines struct {
	bytes.Buffer
	first chan string
}

func (l *lines) Write(p []byte) (int, error) {
	if l.first != nil {
		l.first <- string(p)
		l.first = nil
	}
	return l.Buffer.Write(p)
}

func TestTap(t *testing.T) {
	addr := serveCalculator(t)
	file := filepath.Join(t.TempDir(), "tap.jsonl")
	errs := &lines{first: make(chan string, 1)}
	ready := errs.first
	var out bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(t.Context(), []string{"gorpyc", "tap", addr, "--write", file, "--connections", "1"},
			strings.NewReader(""), &out, errs)
	}()
	listening := strings.Fields(<-ready)
	require.Equal(t, "READY", listening[0])
	got, text, code := gorpyc(t, "", "call", listening[1], "items", "--json")
	require.Zero(t, code, text)
	require.Equal(t, `[1,"two",{"k":{"bytes":"eA=="}}]`+"\n", got)
	require.Zero(t, <-ended)
	require.Contains(t, out.String(), `1 > REQUEST 1 CALLATTR (-`)
	require.Contains(t, out.String(), `, "items", (), ())`)

	again, text, code := gorpyc(t, "", "tap", "replay", file)
	require.Zero(t, code, text)
	require.Equal(t, out.String(), again)
	live, text, code := gorpyc(t, "", "tap", "replay", file, addr)
	require.Zero(t, code, text)
	require.Equal(t, messages(out.String()), messages(live))

	_, _, code = gorpyc(t, "", "tap", "replay", filepath.Join(t.TempDir(), "nothing"))
	require.Equal(t, exitFailed, code)
	bad := filepath.Join(t.TempDir(), "bad")
	require.NoError(t, os.WriteFile(bad, []byte(`{"conn":1,"dir":">","hex":"ffffffff00"}`), 0o600))
	_, _, code = gorpyc(t, "", "tap", "replay", bad)
	require.Equal(t, exitFailed, code)
}

// messages are the lines that are no END, of which the order depends on who hangs up first.
func messages(text string) (all []string) {
	for line := range strings.Lines(text) {
		if !strings.Contains(line, " END ") {
			all = append(all, line)
		}
	}
	return all
}

func TestHelpAndCompletions(t *testing.T) {
	out, _, code := gorpyc(t, "", "--help")
	require.Zero(t, code)
	same, _, code := gorpyc(t, "", "help")
	require.Zero(t, code)
	require.Equal(t, out, same)
	version, _, _ := gorpyc(t, "", "--version")
	same, _, code = gorpyc(t, "", "version")
	require.Zero(t, code)
	require.Equal(t, version, same)
	of, _, _ := gorpyc(t, "", "tap", "replay", "--help")
	same, _, code = gorpyc(t, "", "help", "tap", "replay")
	require.Zero(t, code)
	require.Equal(t, of, same)
	_, _, code = gorpyc(t, "", "help", "nothing")
	require.Equal(t, exitUsage, code)
	printed, errs, code := gorpyc(t, "", "shadow", "localhost:1")
	require.Equal(t, exitUsage, code)
	require.Empty(t, printed)
	require.Contains(t, errs, "--new")
	for _, c := range newApp().Commands {
		if c.Hidden {
			continue
		}
		require.Contains(t, out, "  "+c.Name)
		help, errs, code := gorpyc(t, "", c.Name, "--help")
		require.Zero(t, code, errs)
		for _, o := range program.Options(c.Flags, nil) {
			for _, name := range o.Names {
				require.Contains(t, help, name)
			}
		}
	}
	for _, shell := range program.Shells {
		script, errs, code := gorpyc(t, "", "completions", shell)
		require.Zero(t, code, errs)
		require.Contains(t, script, "ssh-known-hosts")
	}
	_, _, code = gorpyc(t, "", "completions", "csh")
	require.Equal(t, exitUsage, code)
}
