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
// needed, files replaced. What is neither file nor directory is an error, and is left out inside a directory. What the
// server calls its files cannot lead out of the local directory: a name with a separator in it is an error.
func (c *Conn) Download(ctx context.Context, remote, local string, o *TransferOptions) error {
	return c.download(ctx, remote, local, o.withDefaults(), 0)
}

func (c *Conn) download(ctx context.Context, remote, local string, o *TransferOptions, depth int) error {
	if depth > maxDirs {
		return fmt.Errorf("classic: directories are nested deeper than %d: %q", maxDirs, remote)
	}
	ospath, err := c.Module(ctx, "os.path")
	if err != nil {
		return err
	}
	isDir, err := netref.Call[bool](ctx, ospath, "isdir", remote)
	if err != nil {
		return err
	}
	if isDir {
		return c.downloadDir(ctx, remote, local, o, depth)
	}
	isFile, err := netref.Call[bool](ctx, ospath, "isfile", remote)
	if err != nil {
		return err
	}
	if !isFile {
		if depth > 0 {
			return nil
		}
		return errNoFile("download", remote)
	}
	return c.downloadFile(ctx, remote, local, o)
}

func (c *Conn) downloadDir(ctx context.Context, remote, local string, o *TransferOptions, depth int) error {
	if err := os.MkdirAll(local, 0o777); err != nil {
		return err
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
		if err := c.download(ctx, from, filepath.Join(local, name), o, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (c *Conn) downloadFile(ctx context.Context, remote, local string, o *TransferOptions) (err error) {
	return c.withFile(ctx, remote, "rb", func(f *netref.Object) (err error) {
		// Only now that the remote file is open is a local one given up.
		w, err := os.Create(local)
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
// (rpyc.classic.upload_package): remote, or if that is empty the directory's name in the server's site-packages. A single
// module can be uploaded with [Conn.Upload].
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

// sitePackages is where the server's Python has pure Python packages. RPyC asks distutils, which Python 3.12 has no more.
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
