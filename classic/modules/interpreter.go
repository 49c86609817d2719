//go:build unix

package modules

import (
	"context"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"weak"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var background = context.Background()

// Evaluator runs program text for builtins.eval and builtins.exec. A nil globals means the connection's own namespace.
type Evaluator interface {
	// Eval returns the value of an expression.
	Eval(ctx context.Context, source string, globals *exposed.Dict) (any, error)
	// Exec carries out statements.
	Exec(ctx context.Context, source string, globals *exposed.Dict) error
	// Interactive carries out what was typed at a prompt: code.interact. more says that it is not complete. show gets the
	// value of an expression that is not None.
	Interactive(ctx context.Context, source string, globals *exposed.Dict, show func(ctx context.Context, v any) error) (
		more bool, err error)
	// Globals returns the connection's own namespace: builtins.globals and locals.
	Globals() *exposed.Dict
	// Handling returns the exception that the program which runs for ctx handles, nil if there is none: sys.exc_info.
	Handling(ctx context.Context) error
}

// Options say what an [Interpreter] has. The zero value has all modules of this package and no standard input.
type Options struct {
	// Modules are modules of the program's own, by name: a *[Module] or any other value that package exposed presents. A
	// func() any makes one for each interpreter. They come before this package's modules of the same name.
	Modules map[string]any
	// Allow decides which modules can be imported; nil allows all. The modules builtins and importlib.util always can,
	// because every client asks for them; when builtins is not allowed, it lacks what reaches outside the connection:
	// open, input, eval, exec.
	Allow func(name string) bool
	// Argv is sys.argv; nil is the process's.
	Argv []string
	// Stdin, Stdout and Stderr are what sys.stdin, sys.stdout and sys.stderr read and write until a client redirects them.
	// nil is a stream at its end, or one that swallows everything.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Evaluator serves builtins.eval and builtins.exec; without one they are missing.
	Evaluator Evaluator
}

// Interpreter is the set of modules that one connection works with, the counterpart of a Python process's sys.modules.
// It is safe for concurrent use. Close it when the connection has ended.
type Interpreter struct {
	opts Options

	mu     sync.Mutex
	loaded map[string]any
	files  map[weak.Pointer[file]]struct{}
	temps  map[string]struct{} // directories to remove
}

// NewInterpreter returns an interpreter with the modules that o says; nil means all.
func NewInterpreter(o *Options) *Interpreter {
	in := &Interpreter{loaded: map[string]any{}, files: map[weak.Pointer[file]]struct{}{}, temps: map[string]struct{}{}}
	if o != nil {
		in.opts = *o
	}
	return in
}

// builders make this package's modules. A name that maps to another module's is an alias.
var builders map[string]func(in *Interpreter) *Module

func init() { // not in the declaration: builders refer to it
	builders = map[string]func(in *Interpreter) *Module{
		"builtins": newBuiltins, "sys": newSys, "os": newOS, "posixpath": newPath, "posix": newPosix,
		"importlib": newImportlib, "rpyc.lib.compat": newCompat, "subprocess": newSubprocess, "json": newJSON,
		"hashlib": newHashlib, "socket": newSocket, "platform": newPlatform,
		"stat": newStatModule, "errno": newErrno, "signal": newSignal, "getpass": newGetpass, "shutil": newShutil,
		"glob": newGlob, "fnmatch": newFnmatch, "tempfile": newTempfile, "time": newTime, "pickle": newPickle, "io": newIO,
		"importlib.util": newImportlibUtil,
		"code":           newCode,
	}
}

// aliases are the names under which modules can be imported besides their own.
var aliases = map[string]string{"os.path": "posixpath"}

// Import returns the module of that dotted name (importlib.import_module). It is a ModuleNotFoundError if there is none
// or it is not allowed.
func (in *Interpreter) Import(name string) (any, error) {
	if name == "" {
		return nil, vinegar.ValueError.New("Empty module name")
	}
	if !in.Has(name) {
		return nil, in.notFound(name)
	}
	v, err := in.load(name)
	if err == nil {
		in.attach(name)
	}
	return v, err
}

// attach makes a module that has been imported an attribute of its package, and those in it attributes of a package, as
// import does.
func (in *Interpreter) attach(name string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for child, v := range in.loaded {
		i := strings.LastIndexByte(child, '.')
		if i < 0 || child != name && child[:i] != name {
			continue
		}
		if p, ok := in.loaded[child[:i]].(*Module); ok {
			if _, has := p.Get(child[i+1:]); !has {
				p.Set(child[i+1:], v)
			}
		}
	}
}

// notFound is the exception for a module that is not there, with the name as an attribute. Python imports what is
// before each dot first, so it is about the first of these that is missing.
func (in *Interpreter) notFound(name string) error {
	parent, missing := "", name
	for i := range len(name) {
		if name[i] != '.' {
			continue
		}
		if !in.Has(name[:i]) {
			missing = name[:i]
			break
		}
		parent = name[:i]
	}
	text := "No module named '" + missing + "'"
	if parent != "" && !in.isPackage(parent) {
		text += "; '" + parent + "' is not a package"
	}
	return vinegar.ModuleNotFoundError.New(text).With("name", missing).With("path", nil)
}

// isPackage reports whether Python's module of that name can have others inside.
func (in *Interpreter) isPackage(name string) bool {
	for n := range builders {
		if strings.HasPrefix(n, name+".") {
			return true
		}
	}
	for n := range in.opts.Modules {
		if strings.HasPrefix(n, name+".") {
			return true
		}
	}
	return name == "json"
}

// Has reports whether a module of that name can be imported.
func (in *Interpreter) Has(name string) bool {
	if always(name) {
		return true
	}
	if !in.allowed(name) {
		return false
	}
	if _, ok := in.opts.Modules[name]; ok {
		return true
	}
	return builders[canonical(name)] != nil
}

// Names lists the modules that can be imported, sorted.
func (in *Interpreter) Names() []string {
	var names []string
	for name := range builders {
		names = append(names, name)
	}
	for name := range aliases {
		names = append(names, name)
	}
	for name := range in.opts.Modules {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), func(n string) bool { return !in.Has(n) })
}

func canonical(name string) string {
	if other, ok := aliases[name]; ok {
		return other
	}
	return name
}

func always(name string) bool {
	return name == "builtins" || name == "importlib.util"
}

// allowed asks the option; a module goes with what it cannot be without.
func (in *Interpreter) allowed(name string) bool {
	allow := in.opts.Allow
	if allow == nil || allow(name) {
		return true
	}
	switch name {
	case "posixpath", "os.path":
		return allow("os") || allow("os.path") || allow("posixpath")
	}
	return false
}

// load returns a module without asking whether it is allowed, for modules that are made of others.
func (in *Interpreter) load(name string) (any, error) {
	if own, ok := in.opts.Modules[name]; ok {
		return in.loadOwn(name, own), nil
	}
	m, err := in.module(name)
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (in *Interpreter) loadOwn(name string, own any) any {
	in.mu.Lock()
	v, ok := in.loaded[name]
	in.mu.Unlock()
	if ok {
		return v
	}
	v = own
	if f, ok := own.(func() any); ok {
		v = f()
	}
	return in.keep(name, v)
}

func (in *Interpreter) keep(name string, v any) any {
	in.mu.Lock()
	defer in.mu.Unlock()
	if first, ok := in.loaded[name]; ok {
		return first
	}
	in.loaded[name] = v
	return v
}

// module returns one of this package's modules.
func (in *Interpreter) module(name string) (*Module, error) {
	name = canonical(name)
	in.mu.Lock()
	v := in.loaded[name]
	in.mu.Unlock()
	if m, ok := v.(*Module); ok {
		return m, nil
	}
	build := builders[name]
	if build == nil {
		return nil, in.notFound(name)
	}
	m, _ := in.keep(name, build(in)).(*Module)
	if m == nil {
		return nil, in.notFound(name)
	}
	return m, nil
}

// must is module for those that this package has.
func (in *Interpreter) must(name string) *Module {
	m, err := in.module(name)
	if err != nil {
		panic(err)
	}
	return m
}

// adopt enters a file, so that what was written to it reaches it when the connection has ended. A file that nobody has
// any more is closed, as CPython closes it.
func (in *Interpreter) adopt(f *file) *file {
	w := weak.Make(f)
	in.mu.Lock()
	in.files[w] = struct{}{}
	in.mu.Unlock()
	runtime.SetFinalizer(f, func(f *file) {
		in.forget(w)
		go func() { _ = f.close() }() // writing may block, and finalizers share a goroutine
	})
	return f
}

func (in *Interpreter) forget(w weak.Pointer[file]) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.files, w)
}

// Close ends what the connection has left behind: it writes out and closes its files and removes its temporary
// directories. Child processes go on, as they do when a Python server ends. It may be called again.
func (in *Interpreter) Close() error {
	in.mu.Lock()
	files, temps := in.files, in.temps
	in.files, in.temps = map[weak.Pointer[file]]struct{}{}, map[string]struct{}{}
	in.mu.Unlock()
	var first error
	for w := range files {
		if f := w.Value(); f != nil {
			if err := f.close(); err != nil && first == nil {
				first = err
			}
		}
	}
	for dir := range temps {
		if err := os.RemoveAll(dir); err != nil && first == nil {
			first = err
		}
	}
	return first
}
