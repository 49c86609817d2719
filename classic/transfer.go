package classic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/gorpyc/gorpyc/netref"
)

// ChunkSize is how many bytes a message of an upload or download carries by default (STREAM_CHUNK).
const ChunkSize = 64000

// TransferOptions say how files are moved. nil and the zero value are RPyC's defaults.
type TransferOptions struct {
	// Filter says of each file and directory inside the one that is moved, by its name without directories, whether it is
	// moved. nil moves all.
	Filter func(name string) bool
	// ChunkSize is the length of the pieces in bytes; 0 means [ChunkSize].
	ChunkSize int
	// Progress is called before the first byte of a file and after each piece, by the goroutine that called the method.
	Progress func(Progress)
}

// Progress says how far the transfer of a file is.
type Progress struct {
	// Path is the file at the end that it comes from.
	Path string
	// Done and Size are in bytes. Size is -1 if it is not known.
	Done, Size int64
}

func (o *TransferOptions) withDefaults() *TransferOptions {
	var own TransferOptions
	if o != nil {
		own = *o
	}
	if own.ChunkSize <= 0 {
		own.ChunkSize = ChunkSize
	}
	if own.Filter == nil {
		own.Filter = func(string) bool { return true }
	}
	return &own
}

// maxDirs bounds how deep directories are followed into one another: links, and servers, can make rings of them.
const maxDirs = 200

// inFlight is how many pieces are on their way at a time. The server takes requests in order, so that waiting for the
// answer to each would only cost time.
const inFlight = 8

// errNoFile is the error of what is neither a file nor a directory, in RPyC's words and the reason.
func errNoFile(verb, name string) error {
	return fmt.Errorf("classic: cannot %s %q: there is no such file or directory, or it is of another kind", verb, name)
}

// Upload copies a local file or directory to the server (rpyc.classic.upload). Directories are made as needed, files
// replaced. What is neither file nor directory is an error, and is left out inside a directory. Errors of the server's
// are exceptions, an OSError in most cases; what was moved before stays.
func (c *Conn) Upload(ctx context.Context, local, remote string, o *TransferOptions) error {
	o = o.withDefaults()
	info, err := os.Stat(local)
	if err != nil {
		return err
	}
	switch {
	case info.IsDir():
		return c.uploadDir(ctx, os.DirFS(local), ".", remote, o, []fs.FileInfo{info}, local)
	case info.Mode().IsRegular():
		f, err := os.Open(local)
		if err != nil {
			return err
		}
		defer f.Close()
		return c.uploadFrom(ctx, f, remote, o, Progress{Path: local, Size: info.Size()})
	}
	return errNoFile("upload", local)
}

// UploadFS copies a file or directory of a file system, "." for all of it, to the server: from an embed.FS or a
// zip.Reader for example. Otherwise it is [Conn.Upload].
func (c *Conn) UploadFS(ctx context.Context, fsys fs.FS, name, remote string, o *TransferOptions) error {
	o = o.withDefaults()
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return c.uploadDir(ctx, fsys, name, remote, o, []fs.FileInfo{info}, name)
	}
	if !info.Mode().IsRegular() {
		return errNoFile("upload", name)
	}
	return c.uploadFile(ctx, fsys, name, remote, o, Progress{Path: name, Size: info.Size()})
}

// UploadFrom writes all that r has to a file at the server.
func (c *Conn) UploadFrom(ctx context.Context, r io.Reader, remote string, o *TransferOptions) error {
	return c.uploadFrom(ctx, r, remote, o.withDefaults(), Progress{Path: remote, Size: -1})
}

// uploadDir uploads what is in a directory. above are the directories on the way to it, itself the last.
func (c *Conn) uploadDir(ctx context.Context, fsys fs.FS, dir, remote string, o *TransferOptions, above []fs.FileInfo,
	shown string) error {
	if len(above) > maxDirs {
		return fmt.Errorf("classic: directories are nested deeper than %d: %q", maxDirs, shown)
	}
	ospath, err := c.Module(ctx, "os.path")
	if err != nil {
		return err
	}
	there, err := netref.Call[bool](ctx, ospath, "isdir", remote)
	if err != nil {
		return err
	}
	if !there {
		if _, err := Call[any](ctx, c, "os.makedirs", remote); err != nil {
			return err
		}
	}
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !o.Filter(e.Name()) {
			continue
		}
		name, show := path.Join(dir, e.Name()), path.Join(shown, e.Name())
		info, err := fs.Stat(fsys, name) // what a link leads to
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) || e.Type()&fs.ModeSymlink != 0 { // a link that leads nowhere
				continue
			}
			return err
		}
		to, err := netref.Call[string](ctx, ospath, "join", remote, e.Name())
		if err != nil {
			return err
		}
		switch {
		case info.IsDir():
			if among(above, info) { // a link to where it is in
				continue
			}
			err = c.uploadDir(ctx, fsys, name, to, o, append(above, info), show)
		case info.Mode().IsRegular():
			err = c.uploadFile(ctx, fsys, name, to, o, Progress{Path: show, Size: info.Size()})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func among(dirs []fs.FileInfo, info fs.FileInfo) bool {
	for _, d := range dirs {
		if os.SameFile(d, info) {
			return true
		}
	}
	return false
}

func (c *Conn) uploadFile(ctx context.Context, fsys fs.FS, name, remote string, o *TransferOptions, p Progress) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return c.uploadFrom(ctx, f, remote, o, p)
}

// uploadFrom writes r to a remote file, with several pieces under way at a time.
func (c *Conn) uploadFrom(ctx context.Context, r io.Reader, remote string, o *TransferOptions, p Progress) error {
	return c.withFile(ctx, remote, "wb", func(f *netref.Object) error {
		o.report(p)
		q := queue{c: c}
		defer q.abandon()
		buf := make([]byte, o.ChunkSize) // a message takes a copy
		for last := false; !last; {
			n, err := io.ReadFull(r, buf)
			last = errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
			if err != nil && !last {
				return err
			}
			if n > 0 {
				if err := q.start(ctx, f, n, "write", buf[:n]); err != nil {
					return err
				}
			}
			for len(q.under) > 0 && (last || len(q.under) >= inFlight) {
				_, n, err := q.next(ctx)
				if err != nil {
					return err
				}
				p.Done += int64(n)
				o.report(p)
			}
		}
		return nil
	})
}

// withFile opens a remote file and closes it whatever happens, also if ctx has ended.
func (c *Conn) withFile(ctx context.Context, name, mode string, f func(*netref.Object) error) error {
	file, err := Call[*netref.Object](ctx, c, "builtins.open", name, mode)
	if err != nil {
		return err
	}
	defer file.Release()
	err = f(file)
	closing, cancel := c.afterwards(ctx)
	defer cancel()
	if closeErr := file.CallMethodInto(closing, nil, "close"); err == nil {
		err = closeErr
	}
	return err
}

// afterwards is a context for putting things in order once ctx may have ended.
func (c *Conn) afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
}

// queue is a row of calls under way.
type queue struct {
	c     *Conn
	under []piece
}

type piece struct {
	r *netref.AsyncResult
	n int
}

func (q *queue) start(ctx context.Context, o *netref.Object, n int, method string, args ...any) error {
	r, err := o.CallMethodAsync(ctx, method, args...)
	if err == nil {
		q.under = append(q.under, piece{r, n})
	}
	return err
}

// next waits for the oldest call, as long as the connection lets a request take.
func (q *queue) next(ctx context.Context) (any, int, error) {
	p := q.under[0]
	q.under = q.under[1:]
	ctx, cancel := q.c.Root().Peer().Bound(ctx)
	defer cancel()
	v, err := p.r.Wait(ctx)
	if err != nil {
		p.r.Abandon()
	}
	return v, p.n, err
}

func (q *queue) abandon() {
	for _, p := range q.under {
		p.r.Abandon()
	}
}

func (o *TransferOptions) report(p Progress) {
	if o.Progress != nil {
		o.Progress(p)
	}
}
