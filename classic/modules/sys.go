//go:build unix

package modules

import (
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

type versionInfo struct{ record }

var _ = exposed.Register[versionInfo](recordOptions("sys.version_info"))

// newSys makes the module sys. There is no Python: version says so, and version_info is that of the CPython whose
// behaviour the modules have.
func newSys(in *Interpreter) *Module {
	m := New("sys", "Parameters and functions that belong to the interpreter of one connection, which is written in Go.")
	argv := in.opts.Argv
	if argv == nil {
		argv = os.Args
	}
	args := exposed.NewList()
	for _, a := range argv {
		args.Append(a)
	}
	executable, _ := os.Executable()
	version := new(versionInfo)
	version.set("sys.version_info", []string{"major", "minor", "micro", "releaselevel", "serial"},
		brine.Tuple{int64(3), int64(11), int64(0), "final", int64(0)})
	build := "gorpyc"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		build += " " + info.Main.Version
	}
	m.Const(
		"argv", args, "path", exposed.NewList(), "executable", executable, "prefix", filepath.Dir(executable),
		"platform", runtime.GOOS, "byteorder", byteOrder(), "maxsize", int64(math.MaxInt), "maxunicode", int64(0x10ffff),
		"version", "3.11 ("+build+", "+runtime.Version()+") [no Python: modules written in Go]", "version_info", version,
		"hexversion", int64(0x030b00f0), "modules", &moduleTable{in: in}, "dont_write_bytecode", true,
		"copyright", "", "ps1", ">>> ", "ps2", "... ",
	)
	names := make(brine.Tuple, 0)
	for _, n := range in.Names() {
		names = append(names, n)
	}
	m.Const("builtin_module_names", names)
	m.Def("getdefaultencoding", func() string { return "utf-8" })
	m.Def("getfilesystemencoding", func() string { return "utf-8" })
	m.Def("getrecursionlimit", func() int { return 1000 })
	m.Def("get_int_max_str_digits", func() int { return 4300 })
	m.Def("exc_info", func(ctx context.Context) (brine.Tuple, error) {
		if in.opts.Evaluator == nil {
			return brine.Tuple{nil, nil, nil}, nil
		}
		exc := in.opts.Evaluator.Handling(ctx)
		if exc == nil {
			return brine.Tuple{nil, nil, nil}, nil
		}
		class, err := exposed.GetAttr(ctx, everything, exc, "__class__")
		return brine.Tuple{class, exc, nil}, err
	})
	m.Def("intern", func(s string) string { return s }, "string", "/")
	m.Def("exit", func(code any) error {
		if code == nil {
			return vinegar.SystemExit.New()
		}
		return vinegar.SystemExit.New(code)
	}, "status=None", "/")
	stream := func(r io.Reader, w io.Writer, fd int, name, mode string) *textIO {
		raw := pipe{Reader: r, Writer: w, Closer: nothing{}, fd: -1}
		for _, x := range []any{r, w} {
			if f, ok := x.(*os.File); ok && f != nil {
				raw.fd = fd
			}
		}
		if raw.Reader == nil {
			raw.Reader = nothing{}
		}
		if raw.Writer == nil {
			raw.Writer = nothing{}
		}
		return &textIO{text{file: in.adopt(newFile(raw, mode == "r", mode == "w")), name: name, mode: mode, encoding: "utf-8",
			errors: "strict", lineBuffered: true}}
	}
	for _, s := range []struct {
		name string
		r    io.Reader
		w    io.Writer
		fd   int
		mode string
	}{{"stdin", in.opts.Stdin, nil, 0, "r"}, {"stdout", nil, in.opts.Stdout, 1, "w"},
		{"stderr", nil, in.opts.Stderr, 2, "w"}} {
		f := stream(s.r, s.w, s.fd, "<"+s.name+">", s.mode)
		m.Const(s.name, f, "__"+s.name+"__", f)
	}
	return m
}

func byteOrder() string {
	switch runtime.GOARCH {
	case "ppc64", "s390x", "mips", "mips64":
		return "big"
	}
	return "little"
}

// moduleTable is sys.modules: the modules loaded so far. Modules cannot be put in or taken out.
type moduleTable struct{ in *Interpreter }

func (t *moduleTable) dict() *exposed.Dict {
	d := exposed.NewDict()
	for _, name := range t.in.Names() {
		t.in.mu.Lock()
		v, ok := t.in.loaded[canonical(name)]
		t.in.mu.Unlock()
		if ok {
			_ = d.Set(background, name, v) // a str is hashable
		}
	}
	return d
}

// PyLen is len(x).
func (t *moduleTable) PyLen() int { return t.dict().Len() }

// PyGetItem is x[key].
func (t *moduleTable) PyGetItem(ctx context.Context, key any) (any, error) {
	return exposed.GetItem(ctx, t.dict(), key)
}

// PyContains is v in x.
func (t *moduleTable) PyContains(ctx context.Context, key any) (bool, error) {
	return exposed.Contains(ctx, t.dict(), key)
}

// PyIter is iter(x).
func (t *moduleTable) PyIter(ctx context.Context) (any, error) { return exposed.Iter(ctx, t.dict()) }

var _ = exposed.Register[moduleTable](exposed.ClassOptions{Name: "sys.modules_dict", Hidden: map[string]any{
	"keys":   func(t *moduleTable) (any, error) { return onDict(t.dict(), "keys") },
	"values": func(t *moduleTable) (any, error) { return onDict(t.dict(), "values") },
	"items":  func(t *moduleTable) (any, error) { return onDict(t.dict(), "items") },
	"get": exposed.Func(func(t *moduleTable, key, missing any) (any, error) {
		return onDict(t.dict(), "get", key, missing)
	}, "key", "default=None"),
}})
