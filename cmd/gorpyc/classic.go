package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

const groupClassic = "Classic servers"

func evalCommand() *cli.Command {
	return &cli.Command{
		Name: "eval", Category: groupClassic,
		Usage:     "evaluate a Python expression at a classic server and print its value",
		ArgsUsage: "[ADDRESS] EXPRESSION",
		Flags:     callingFlags(outputFlags()...),
		Action: func(c *cli.Context) error {
			return connected(c, 1, 1, "one expression", func(ctx context.Context, s *session, args []string) error {
				v, err := classic.New(s.Conn).Eval(ctx, args[0])
				if err != nil {
					return err
				}
				return s.out.value(ctx, v)
			})
		},
	}
}

func execCommand() *cli.Command {
	return &cli.Command{
		Name: "exec", Category: groupClassic,
		Usage:     "run Python statements at a classic server",
		ArgsUsage: "[ADDRESS] STATEMENTS",
		Description: `The statements are the argument, a file's with --file, or the input's if the argument is "-". What
they print appears here; with --no-stdio it appears at the server. While they run the standard streams of the server's
whole process are redirected, as rpyc.classic.redirected_stdio does.`,
		Flags: callingFlags(outputFlags(
			&cli.StringFlag{Name: "file", TakesFile: true, Aliases: []string{"f"}, Usage: "run what is in `FILE`"},
			&cli.BoolFlag{Name: "no-stdio", Usage: "leave the server's standard streams alone"})...),
		Action: func(c *cli.Context) error {
			file := c.String("file")
			least := 1
			if file != "" {
				least = 0
			}
			return connected(c, least, least, "statements, or --file",
				func(ctx context.Context, s *session, args []string) error {
					text, err := statements(c, file, args)
					if err != nil {
						return err
					}
					conn := classic.New(s.Conn)
					if c.Bool("no-stdio") {
						return conn.Execute(ctx, text)
					}
					stdio := classic.Stdio{Out: c.App.Writer, Err: c.App.ErrWriter}
					if first(args) != "-" {
						stdio.In = c.App.Reader
					}
					redirected := false
					err = conn.RedirectedStdio(ctx, stdio, func(ctx context.Context) error {
						redirected = true
						return conn.Execute(ctx, text)
					})
					if err != nil && !redirected {
						return hinted{err, "the server's streams cannot be redirected; --no-stdio leaves them alone"}
					}
					return err
				})
		},
	}
}

func statements(c *cli.Context, file string, args []string) (string, error) {
	var data []byte
	var err error
	switch {
	case file != "":
		data, err = os.ReadFile(file)
	case args[0] == "-":
		data, err = io.ReadAll(c.App.Reader)
	default:
		return args[0], nil
	}
	if err != nil {
		return "", coded{err, exitFailed}
	}
	return string(data), nil
}

func transferFlags() []cli.Flag {
	return callingFlags(outputFlags(
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no progress bars (there are none where stderr is no " +
			"terminal)"},
		&cli.BoolFlag{Name: "progress", Usage: "progress bars in any case"},
		&cli.IntFlag{Name: "chunk", Usage: "`BYTES` per message", Value: classic.ChunkSize},
		&cli.StringSliceFlag{Name: "include", Usage: "of a directory, only files whose name matches `PATTERN`, such as " +
			"*.py; may be repeated"})...)
}

func uploadCommand() *cli.Command {
	return &cli.Command{
		Name: "upload", Category: groupClassic,
		Usage:       "copy a file or directory to a classic server",
		ArgsUsage:   "[ADDRESS] LOCAL REMOTE",
		Description: "LOCAL can be - for the input.",
		Flags:       transferFlags(),
		Action: func(c *cli.Context) error {
			return connected(c, 2, 2, "a local and a remote path", func(ctx context.Context, s *session, args []string) error {
				conn := classic.New(s.Conn)
				return transfer(c, func(o *classic.TransferOptions) error {
					if args[0] == "-" {
						return conn.UploadFrom(ctx, c.App.Reader, args[1], o)
					}
					return conn.Upload(ctx, args[0], args[1], o)
				})
			})
		},
	}
}

func downloadCommand() *cli.Command {
	return &cli.Command{
		Name: "download", Category: groupClassic,
		Usage:       "copy a file or directory of a classic server to here",
		ArgsUsage:   "[ADDRESS] REMOTE [LOCAL]",
		Description: "LOCAL can be - for the output; without it the remote file's name is taken.",
		Flags:       transferFlags(),
		Action: func(c *cli.Context) error {
			return connected(c, 1, 2, "a remote path and, maybe, a local one",
				func(ctx context.Context, s *session, args []string) error {
					conn := classic.New(s.Conn)
					local := filepath.Base(filepath.FromSlash(args[0]))
					if len(args) == 2 {
						local = args[1]
					}
					return transfer(c, func(o *classic.TransferOptions) error {
						if local == "-" {
							return conn.DownloadTo(ctx, args[0], c.App.Writer, o)
						}
						return conn.Download(ctx, args[0], local, o)
					})
				})
		},
	}
}

func transfer(c *cli.Context, f func(*classic.TransferOptions) error) error {
	if c.Int("chunk") < 1 {
		return usage("--chunk: %d bytes are none", c.Int("chunk"))
	}
	patterns := c.StringSlice("include")
	for _, p := range patterns {
		if _, err := filepath.Match(p, ""); err != nil {
			return usage("--include %s: %w", p, err)
		}
	}
	o := &classic.TransferOptions{ChunkSize: c.Int("chunk")}
	if len(patterns) > 0 {
		o.Filter = func(name string) bool {
			if filepath.Ext(name) == "" {
				return true // a directory, most likely
			}
			for _, p := range patterns {
				if ok, _ := filepath.Match(p, name); ok {
					return true
				}
			}
			return false
		}
	}
	var b *bar
	if c.Bool("progress") || !c.Bool("quiet") && isTerminal(c.App.ErrWriter) {
		b = &bar{w: c.App.ErrWriter, now: time.Now}
		o.Progress = b.update
	}
	err := f(o)
	if b != nil {
		b.end()
	}
	var path *fs.PathError
	var remote *vinegar.Error // which can be a PathError, too
	if errors.As(err, &path) && !errors.As(err, &remote) {
		return coded{err, exitFailed}
	}
	return err
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// bar shows how far a transfer is, on one line per file.
type bar struct {
	w     io.Writer
	now   func() time.Time
	path  string
	begun time.Time
	drawn time.Time
}

const (
	barWidth    = 30
	barInterval = 100 * time.Millisecond
)

func (b *bar) update(p classic.Progress) {
	now := b.now()
	if p.Path != b.path {
		b.end()
		b.path, b.begun, b.drawn = p.Path, now, time.Time{}
	}
	if now.Sub(b.drawn) < barInterval && p.Done != p.Size {
		return
	}
	b.drawn = now
	rate := ""
	if s := now.Sub(b.begun).Seconds(); s > 0 {
		rate = " " + bytesText(int64(float64(p.Done)/s)) + "/s"
	}
	name := filepath.Base(filepath.FromSlash(p.Path))
	if p.Size < 0 {
		fmt.Fprintf(b.w, "\r%-24.24q %s%s  ", name, bytesText(p.Done), rate)
		return
	}
	full := barWidth
	percent := int64(100)
	if p.Size > 0 {
		full = int(float64(barWidth) * float64(min(p.Done, p.Size)) / float64(p.Size))
		percent = 100 * p.Done / p.Size
	}
	fmt.Fprintf(b.w, "\r%-24.24q [%-*s] %3d%% %s%s  ", name, barWidth, "##############################"[:full], percent,
		bytesText(p.Done), rate)
}

// end finishes the line.
func (b *bar) end() {
	if b.path != "" {
		fmt.Fprintln(b.w)
		b.path = ""
	}
}

func bytesText(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	f := float64(n)
	for _, u := range []string{"KiB", "MiB", "GiB"} {
		if f /= unit; f < unit {
			return fmt.Sprintf("%.1f %s", f, u)
		}
	}
	return fmt.Sprintf("%.1f TiB", f/unit)
}
