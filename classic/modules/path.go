//go:build unix

package modules

import (
	"context"
	"os"
	"os/user"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// A path is str or bytes in Python, and so are the results. The functions here work on text and are wrapped by
// pathFunc.

// defaultPath is os.defpath: where programs are looked for without a PATH.
const defaultPath = "/bin:/usr/bin"

// onePath takes a path of either kind; back makes a result of the same kind.
func onePath(ctx context.Context, v any) (s string, back func(string) any, err error) {
	switch x := fspath(ctx, v).(type) {
	case string:
		return x, func(s string) any { return s }, nil
	case []byte:
		return string(x), func(s string) any { return []byte(s) }, nil
	}
	return "", nil, vinegar.TypeError.Errorf("expected str, bytes or os.PathLike object, not %s", exposed.TypeName(v))
}

func pathFunc(f func(string) string) func(context.Context, any) (any, error) {
	return func(ctx context.Context, v any) (any, error) {
		s, back, err := onePath(ctx, v)
		if err != nil {
			return nil, err
		}
		return back(f(s)), nil
	}
}

func pathPair(f func(string) (string, string)) func(context.Context, any) (any, error) {
	return func(ctx context.Context, v any) (any, error) {
		s, back, err := onePath(ctx, v)
		if err != nil {
			return nil, err
		}
		a, b := f(s)
		return brine.Tuple{back(a), back(b)}, nil
	}
}

// newPath makes os.path, which is posixpath.
func newPath(in *Interpreter) *Module {
	m := New("posixpath", "Common operations on Posix pathnames.")
	m.Const("sep", "/", "pardir", "..", "curdir", ".", "extsep", ".", "altsep", nil, "pathsep", ":", "defpath",
		defaultPath, "devnull", "/dev/null",
		"supports_unicode_filenames", false)
	m.Def("join", joinPaths, "a", "*p")
	m.Def("split", pathPair(splitPath), "p")
	m.Def("splitext", pathPair(splitExt), "p")
	m.Def("splitdrive", pathPair(func(s string) (string, string) { return "", s }), "p")
	m.Def("basename", pathFunc(func(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }), "p")
	m.Def("dirname", pathFunc(func(s string) string { head, _ := splitPath(s); return head }), "p")
	m.Def("normpath", pathFunc(normPath), "path")
	m.Def("normcase", pathFunc(func(s string) string { return s }), "s")
	m.Def("abspath", absPath, "path")
	m.Def("realpath", realPathOf, "filename", "*", "strict=False")
	m.Def("relpath", relPath, "path", "start=None")
	m.Def("expanduser", expandUser, "path")
	m.Def("expandvars", pathFunc(expandVars), "path")
	m.Def("isabs", func(ctx context.Context, v any) (bool, error) {
		s, _, err := onePath(ctx, v)
		return strings.HasPrefix(s, "/"), err
	}, "s")
	m.Def("commonprefix", commonPrefix, "m")
	m.Def("commonpath", commonPath, "paths")
	test := func(name string, stat func(string) (os.FileInfo, error), is func(os.FileInfo) bool) {
		m.Def(name, func(ctx context.Context, v any) (bool, error) {
			s, ok, err := testedPath(ctx, v)
			if err != nil || !ok {
				return false, err
			}
			fi, err := stat(s)
			return err == nil && is(fi), nil
		}, "path")
	}
	all := func(os.FileInfo) bool { return true }
	test("exists", os.Stat, all)
	test("lexists", os.Lstat, all)
	test("isfile", os.Stat, func(fi os.FileInfo) bool { return fi.Mode().IsRegular() })
	test("isdir", os.Stat, func(fi os.FileInfo) bool { return fi.IsDir() })
	test("islink", os.Lstat, func(fi os.FileInfo) bool { return fi.Mode()&os.ModeSymlink != 0 })
	m.Def("ismount", isMount, "path")
	m.Def("samefile", sameFile, "f1", "f2")
	for name, index := range map[string]int{"getsize": 6} {
		m.Def(name, func(ctx context.Context, v any) (any, error) {
			st, err := in.stat(ctx, "stat", v, true)
			if err != nil {
				return nil, err
			}
			return st.items[index], nil
		}, "filename")
	}
	for name, attr := range map[string]string{"getmtime": "st_mtime", "getatime": "st_atime", "getctime": "st_ctime"} {
		m.Def(name, func(ctx context.Context, v any) (any, error) {
			st, err := in.stat(ctx, "stat", v, true)
			if err != nil {
				return nil, err
			}
			t, _ := st.Get(attr)
			return t, nil
		}, "filename")
	}
	return m
}

// testedPath is for functions that answer False for paths that cannot be.
func testedPath(ctx context.Context, v any) (string, bool, error) {
	if _, ok := v.(int64); ok {
		return "", false, nil
	}
	s, err := pathOf(ctx, v, "stat: path should be string, bytes, os.PathLike or integer, not %s")
	if err != nil {
		if vinegar.FromError(err).Class == vinegar.ValueError {
			return "", false, nil
		}
		return "", false, err
	}
	return s, true, nil
}

func joinPaths(ctx context.Context, first any, more []any) (any, error) {
	a, back, err := onePath(ctx, first)
	if err != nil {
		return nil, err
	}
	_, isText := back("").(string)
	for _, v := range more {
		b, backB, err := onePath(ctx, v)
		if err != nil {
			return nil, vinegar.TypeError.Errorf("join() argument must be str, bytes, or os.PathLike object, not '%s'",
				exposed.TypeName(v))
		}
		if _, text := backB("").(string); text != isText {
			return nil, vinegar.TypeError.New("Can't mix strings and bytes in path components")
		}
		switch {
		case strings.HasPrefix(b, "/"):
			a = b
		case a == "" || strings.HasSuffix(a, "/"):
			a += b
		default:
			a += "/" + b
		}
	}
	return back(a), nil
}

func splitPath(s string) (head, tail string) {
	i := strings.LastIndexByte(s, '/') + 1
	head, tail = s[:i], s[i:]
	if bare := strings.TrimRight(head, "/"); bare != "" {
		head = bare
	}
	return head, tail
}

func splitExt(s string) (root, ext string) {
	slash, dot := strings.LastIndexByte(s, '/'), strings.LastIndexByte(s, '.')
	if dot > slash && strings.Trim(s[slash+1:dot], ".") != "" {
		return s[:dot], s[dot:]
	}
	return s, ""
}

// normPath is os.path.normpath: unlike path.Clean it keeps two leading slashes and makes "." of nothing.
func normPath(s string) string {
	if s == "" {
		return "."
	}
	root := ""
	if strings.HasPrefix(s, "/") {
		root = "/"
		if strings.HasPrefix(s, "//") && !strings.HasPrefix(s, "///") {
			root = "//"
		}
	}
	var parts []string
	for _, p := range strings.Split(s, "/") {
		switch {
		case p == "" || p == ".":
		case p != ".." || root == "" && len(parts) == 0 || len(parts) > 0 && parts[len(parts)-1] == "..":
			parts = append(parts, p)
		case len(parts) > 0:
			parts = parts[:len(parts)-1]
		}
	}
	if s = root + strings.Join(parts, "/"); s == "" {
		return "."
	}
	return s
}

func absolute(s string) (string, error) {
	if !strings.HasPrefix(s, "/") {
		cwd, err := os.Getwd()
		if err != nil {
			return "", err
		}
		s = joined(cwd, s)
	}
	return normPath(s), nil
}

func joined(a, b string) string {
	if a == "" || strings.HasSuffix(a, "/") {
		return a + b
	}
	return a + "/" + b
}

func absPath(ctx context.Context, v any) (any, error) {
	s, back, err := onePath(ctx, v)
	if err != nil {
		return nil, err
	}
	s, err = absolute(s)
	return back(s), err
}

// maxLinks bounds the symbolic links followed, as the kernel does.
const maxLinks = 40

func realPathOf(ctx context.Context, v any, strict bool) (any, error) {
	s, back, err := onePath(ctx, v)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(s, "/") {
		cwd, err := os.Getwd()
		if err != nil {
			return nil, err
		}
		s = joined(cwd, s)
	}
	links := 0
	done, rest := "/", s
	for rest != "" {
		part, tail, _ := strings.Cut(rest, "/")
		rest = tail
		switch part {
		case "", ".":
			continue
		case "..":
			done, _ = splitPath(done)
			continue
		}
		next := joined(done, part)
		fi, err := os.Lstat(next)
		if err != nil {
			if strict {
				return nil, fileError(err, back(next))
			}
			done = next
			continue
		}
		if fi.Mode()&os.ModeSymlink == 0 {
			done = next
			continue
		}
		if links++; links > maxLinks {
			if strict {
				return nil, vinegar.OSError.New(int64(40), "Too many levels of symbolic links", back(next))
			}
			done = next
			continue
		}
		target, err := os.Readlink(next)
		if err != nil {
			return nil, fileError(err, back(next))
		}
		if strings.HasPrefix(target, "/") {
			done = "/"
		}
		rest = joined(target, rest)
	}
	return back(normPath(done)), nil
}

func relPath(ctx context.Context, v, start any) (any, error) {
	s, back, err := onePath(ctx, v)
	if err != nil {
		return nil, err
	}
	if s == "" {
		return nil, vinegar.ValueError.New("no path specified")
	}
	from := "."
	if start != nil {
		if from, _, err = onePath(ctx, start); err != nil {
			return nil, err
		}
		if from == "" {
			from = "."
		}
	}
	if s, err = absolute(s); err != nil {
		return nil, err
	}
	if from, err = absolute(from); err != nil {
		return nil, err
	}
	a, b := pathParts(from), pathParts(s)
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	var out []string
	for range a[i:] {
		out = append(out, "..")
	}
	if out = append(out, b[i:]...); len(out) == 0 {
		return back("."), nil
	}
	return back(strings.Join(out, "/")), nil
}

func pathParts(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == '/' })
}

func expandUser(ctx context.Context, v any) (any, error) {
	s, back, err := onePath(ctx, v)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(s, "~") {
		return back(s), nil
	}
	name, rest, _ := strings.Cut(s[1:], "/")
	if len(s) > 1+len(name) {
		rest = "/" + rest
	}
	home := ""
	if name == "" {
		if home = os.Getenv("HOME"); home == "" {
			if u, err := user.Current(); err == nil {
				home = u.HomeDir
			}
		}
	} else if u, err := user.Lookup(name); err == nil {
		home = u.HomeDir
	}
	if home == "" {
		return back(s), nil
	}
	home = strings.TrimRight(home, "/")
	if home+rest == "" {
		return back("/"), nil
	}
	return back(home + rest), nil
}

func expandVars(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '$' {
			b.WriteByte(s[i])
			continue
		}
		name, end := "", 0
		if i+1 < len(s) && s[i+1] == '{' {
			if j := strings.IndexByte(s[i:], '}'); j > 0 {
				name, end = s[i+2:i+j], i+j
			}
		} else {
			j := i + 1
			for j < len(s) && (s[j] == '_' || s[j] >= '0' && s[j] <= '9' || s[j] >= 'a' && s[j] <= 'z' ||
				s[j] >= 'A' && s[j] <= 'Z') {
				j++
			}
			name, end = s[i+1:j], j-1
		}
		if value, ok := os.LookupEnv(name); ok && name != "" {
			b.WriteString(value)
			i = end
			continue
		}
		b.WriteByte('$')
	}
	return b.String()
}

func allPaths(ctx context.Context, v any) (all []string, back func(string) any, err error) {
	back = func(s string) any { return s }
	for p, err := range exposed.Iterate(ctx, v) {
		if err != nil {
			return nil, nil, err
		}
		var s string
		if s, back, err = onePath(ctx, p); err != nil {
			return nil, nil, err
		}
		all = append(all, s)
	}
	return all, back, nil
}

func commonPrefix(ctx context.Context, v any) (any, error) {
	all, back, err := allPaths(ctx, v)
	if err != nil || len(all) == 0 {
		return "", err
	}
	low, high := []rune(all[0]), []rune(all[0])
	for _, s := range all {
		if r := []rune(s); string(r) < string(low) {
			low = r
		} else if string(r) > string(high) {
			high = r
		}
	}
	i := 0
	for i < len(low) && i < len(high) && low[i] == high[i] {
		i++
	}
	return back(string(low[:i])), nil
}

func commonPath(ctx context.Context, v any) (any, error) {
	all, back, err := allPaths(ctx, v)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, vinegar.ValueError.New("commonpath() arg is an empty sequence")
	}
	abs := strings.HasPrefix(all[0], "/")
	var common []string
	for i, s := range all {
		if strings.HasPrefix(s, "/") != abs {
			return nil, vinegar.ValueError.New("Can't mix absolute and relative paths")
		}
		var parts []string
		for _, p := range pathParts(s) {
			if p != "." {
				parts = append(parts, p)
			}
		}
		if i == 0 {
			common = parts
			continue
		}
		j := 0
		for j < len(common) && j < len(parts) && common[j] == parts[j] {
			j++
		}
		common = common[:j]
	}
	s := strings.Join(common, "/")
	if abs {
		s = "/" + s
	}
	return back(s), nil
}

func isMount(ctx context.Context, v any) (bool, error) {
	s, ok, err := testedPath(ctx, v)
	if err != nil || !ok {
		return false, err
	}
	fi, err := os.Lstat(s)
	if err != nil || fi.Mode()&os.ModeSymlink != 0 {
		return false, nil
	}
	up, err := os.Lstat(joined(s, ".."))
	if err != nil {
		return false, nil
	}
	return device(fi) != device(up) || os.SameFile(fi, up), nil
}

func sameFile(ctx context.Context, a, b any) (bool, error) {
	var fis [2]os.FileInfo
	for i, v := range []any{a, b} {
		s, err := pathOf(ctx, v, "stat: path should be string, bytes, os.PathLike or integer, not %s")
		if err != nil {
			return false, err
		}
		if fis[i], err = os.Stat(s); err != nil {
			return false, fileError(err, v)
		}
	}
	return os.SameFile(fis[0], fis[1]), nil
}
