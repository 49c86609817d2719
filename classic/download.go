package classic

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gorpyc/gorpyc/netref"
)

// Download copies a file or directory of the server to a local path (rpyc.classic.download). Directories are made as
// needed, files replaced. What is neither file nor directory is an error, and is left out inside a directory. Nothing
// is written outside of the local directory: a name with a separator in it is an error, and so is a symbolic link there
// that leads out of it.
func (c *Conn) Download(ctx context.Context, remote, local string, o *TransferOptions) error {
	o = o.withDefaults()
	switch kind, err := c.kindOf(ctx, remote); {
	case err != nil:
		return err
	case kind == isDirectory:
		if err := os.MkdirAll(local, 0o777); err != nil {
			return err
		}
		root, err := os.OpenRoot(local)
		if err != nil {
			return err
		}
		defer root.Close()
		return c.downloadDir(ctx, remote, root, ".", o, 0)
	case kind == isFile:
		return c.downloadFile(ctx, remote, func() (*os.File, error) { return os.Create(local) }, o)
	}
	return errNoFile("download", remote)
}

// kind is what there is under a path of the server.
type kind int

const (
	isOther kind = iota
	isFile
	isDirectory
)

func (c *Conn) kindOf(ctx context.Context, remote string) (kind, error) {
	ospath, err := c.Module(ctx, "os.path")
	if err != nil {
		return isOther, err
	}
	if yes, err := netref.Call[bool](ctx, ospath, "isdir", remote); err != nil || yes {
		return isDirectory, err
	}
	if yes, err := netref.Call[bool](ctx, ospath, "isfile", remote); err != nil || yes {
		return isFile, err
	}
	return isOther, nil
}

// downloadDir copies what is in a directory of the server into the directory dir of root, which exists.
func (c *Conn) downloadDir(ctx context.Context, remote string, root *os.Root, dir string, o *TransferOptions,
	depth int) error {
	if depth > maxDirs {
		return fmt.Errorf("classic: directories are nested deeper than %d: %q", maxDirs, remote)
	}
	names, err := Call[[]string](ctx, c, "os.listdir", remote)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !o.Filter(name) {
			continue
		}
		if name == "." || !filepath.IsLocal(name) || strings.ContainsAny(name, `/\`) && filepath.Base(name) != name {
			return fmt.Errorf("classic: the server has a file with the name %q in %q, which would lead elsewhere", name, remote)
		}
		from, err := Call[string](ctx, c, "os.path.join", remote, name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, name)
		kind, err := c.kindOf(ctx, from)
		switch {
		case err != nil:
		case kind == isDirectory:
			if err = root.MkdirAll(to, 0o777); err == nil {
				err = c.downloadDir(ctx, from, root, to, o, depth+1)
			}
		case kind == isFile:
			err = c.downloadFile(ctx, from, func() (*os.File, error) { return root.Create(to) }, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// downloadFile copies a file of the server into the one that create makes.
func (c *Conn) downloadFile(ctx context.Context, remote string,
	create func() (*os.File, error), o *TransferOptions) error {
	return c.withFile(ctx, remote, "rb", func(f *netref.Object) (err error) {
		// Only now that the remote file is open is a local one given up.
		w, err := create()
		if err != nil {
			return err
		}
		defer func() {
			if closeErr := w.Close(); err == nil {
				err = closeErr
			}
		}()
		return c.copyFrom(ctx, f, remote, w, o)
	})
}

// DownloadTo writes a file of the server to w.
func (c *Conn) DownloadTo(ctx context.Context, remote string, w io.Writer, o *TransferOptions) error {
	return c.withFile(ctx, remote, "rb", func(f *netref.Object) error {
		return c.copyFrom(ctx, f, remote, w, o.withDefaults())
	})
}

// copyFrom reads a remote file to its end, with several pieces under way at a time.
func (c *Conn) copyFrom(ctx context.Context, f *netref.Object, remote string, w io.Writer, o *TransferOptions) error {
	p := Progress{Path: remote, Size: -1}
	if o.Progress != nil {
		size, err := Call[int64](ctx, c, "os.path.getsize", remote)
		if err != nil {
			return err
		}
		p.Size = size
		o.report(p)
	}
	q := queue{c: c}
	defer q.abandon()
	for {
		for len(q.under) < inFlight {
			if err := q.start(ctx, f, 0, "read", o.ChunkSize); err != nil {
				return err
			}
		}
		v, _, err := q.next(ctx)
		if err != nil {
			return err
		}
		data, err := netref.As[[]byte](ctx, v)
		if err != nil {
			return err
		}
		if len(data) == 0 {
			return nil
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
		p.Done += int64(len(data))
		o.report(p)
	}
}

// UploadPackage copies a directory with a Python package to where the server's Python finds it
// (rpyc.classic.upload_package): remote, or if that is empty the directory's name in the server's site-packages. A
// single module can be uploaded with [Conn.Upload].
func (c *Conn) UploadPackage(ctx context.Context, dir, remote string, o *TransferOptions) error {
	if remote == "" {
		site, err := c.sitePackages(ctx)
		if err != nil {
			return err
		}
		whole, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		if remote, err = Call[string](ctx, c, "os.path.join", site, filepath.Base(whole)); err != nil {
			return err
		}
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return errNoFile("upload", dir)
	}
	return c.Upload(ctx, dir, remote, o)
}

// sitePackages is where the server's Python has pure Python packages. RPyC asks distutils, which Python 3.12 has no
// more.
func (c *Conn) sitePackages(ctx context.Context) (string, error) {
	version, err := c.Python(ctx)
	if err != nil {
		return "", err
	}
	if version[0] < 3 {
		return Call[string](ctx, c, "distutils.sysconfig.get_python_lib")
	}
	return Call[string](ctx, c, "sysconfig.get_path", "purelib")
}
