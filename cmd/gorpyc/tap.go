package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/talk"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

func tapCommand() *cli.Command {
	return &cli.Command{
		Name: "tap", Category: groupMeasure,
		Usage:     "listen in: a proxy that prints each message",
		ArgsUsage: "[ADDRESS]",
		Description: `Clients connect to --listen instead of the server; what they say is passed on unchanged and printed, one
message per line: the number of the connection, ">" from the client or "<" from the server, and the message. Object ids
are replaced by numbers in the order of their appearance, so that the lines of two runs can be compared by diff.
Metadata, such as a trace, a deadline or the number of a call that is given up, follows in braces; of a token, its
length.
The options of the connection are about the server; clients connect without TLS. Ctrl-C ends it.

With --write, the bytes go to a file as well: JSON lines {"conn": 1, "t": SECONDS, "dir": ">", "hex": FRAME}, where an
"end" in place of "hex" says that this side has hung up. 'tap replay FILE' prints such a file again, and with an
address says the client's part again to a server.`,
		Flags: connectionFlags(
			&cli.StringFlag{Name: "listen", Aliases: []string{"l"}, Value: "127.0.0.1:0",
				Usage: "`ADDRESS` for the clients, HOST:PORT or unix:PATH"},
			&cli.StringFlag{Name: "write", TakesFile: true, Aliases: []string{"w"}, Usage: "write the bytes to `FILE`"},
			&cli.IntFlag{Name: "connections", Usage: "end after so many `CONNECTIONS`"},
			&cli.BoolFlag{Name: "times", Category: groupOutput, Usage: "begin lines with the seconds since the start"},
			&cli.IntFlag{Name: "text", Category: groupOutput, Value: 64, Usage: "cut texts after so many `BYTES`"}),
		Action:      runTap,
		Subcommands: []*cli.Command{replayCommand()},
	}
}

// recorder prints and writes what passes. It is safe for concurrent use.
type recorder struct {
	times bool
	text  int

	mu    sync.Mutex
	out   *printer
	file  *json.Encoder // nil if nothing is to be written
	err   error         // of the file
	views map[int]*view
}

// view is what is known of a conversation.
type view struct {
	dialects map[string]*wire.Dialect // by direction: they differ where a peer hangs up on a family that is not its own
	dumper   wire.Dumper
}

func (r *recorder) record(rec talk.Record, raw, payload []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file != nil && r.err == nil {
		rec.Hex = hex.EncodeToString(raw)
		r.err = r.file.Encode(rec)
	}
	text := rec.End
	if text == "" {
		text = r.describe(rec.Conn, rec.Dir, payload)
	} else {
		text = "END " + text
	}
	if r.times {
		r.out.printf("%10.6f ", rec.Time)
	}
	dir, text := r.out.paint.message(rec.Dir, text)
	r.out.printf("%d %s %s\n", rec.Conn, dir, text)
}

func (r *recorder) describe(conn int, dir string, payload []byte) string {
	v := r.views[conn]
	if v == nil {
		if r.views == nil {
			r.views = map[int]*view{}
		}
		v = &view{dialects: map[string]*wire.Dialect{}, dumper: wire.Dumper{MaxText: r.text}}
		r.views[conn] = v
	}
	if payload == nil {
		return "EMPTY"
	}
	if v.dialects[dir] == nil {
		d, err := wire.Detect(payload)
		if err != nil {
			return "MALFORMED " + err.Error()
		}
		v.dialects[dir] = d
	}
	return v.dumper.Dump(v.dialects[dir], payload)
}

func runTap(c *cli.Context) error {
	t, args, err := targetOf(c)
	if err != nil {
		return err
	}
	if err := want(args, 0, 0, "no further arguments"); err != nil {
		return err
	}
	r := &recorder{times: c.Bool("times"), text: c.Int("text"), out: printerOf(c)}
	if path := c.String("write"); path != "" {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return coded{err, exitFailed}
		}
		defer f.Close()
		r.file = json.NewEncoder(f)
	}
	network, addr := "tcp", c.String("listen")
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	l, err := transport.Listen(c.Context, network, addr)
	if err != nil {
		return coded{err, exitFailed}
	}
	fmt.Fprintln(c.App.ErrWriter, "READY", l.Addr())
	tap := &tap{target: t, recorder: r, begun: time.Now(), errs: c.App.ErrWriter}
	err = tap.serve(c.Context, l, c.Int("connections"))
	if r.err != nil {
		return coded{fmt.Errorf("--write: %w", r.err), exitFailed}
	}
	if errors.Is(err, context.Canceled) {
		return nil // that is how it is meant to end
	}
	return err
}

type tap struct {
	*recorder
	target *target
	begun  time.Time
	errs   io.Writer
}

// serve passes connections on until ctx ends, or limit of them have ended if it is not 0.
func (t *tap) serve(ctx context.Context, l net.Listener, limit int) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for n := 1; ; n++ {
		client, err := l.Accept()
		if ctx.Err() != nil {
			return context.Canceled
		}
		if err != nil {
			return err
		}
		all.Go(func() {
			if err := t.pass(ctx, n, client); err != nil {
				t.mu.Lock()
				fmt.Fprintf(t.errs, "gorpyc: connection %d: %v\n", n, err)
				t.mu.Unlock()
			}
		})
		if n == limit {
			return l.Close()
		}
	}
}

// pass connects a client with the server until both have hung up.
func (t *tap) pass(ctx context.Context, n int, client net.Conn) error {
	defer client.Close()
	server, err := t.target.open(ctx)
	if err != nil {
		return err
	}
	defer server.Close()
	stop := context.AfterFunc(ctx, func() {
		_ = client.Close()
		_ = server.Close()
	})
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { t.pump(n, ">", client, server) })
	both.Go(func() { t.pump(n, "<", server, client) })
	both.Wait()
	t.mu.Lock()
	delete(t.views, n)
	t.mu.Unlock()
	return nil
}

// pump copies one direction. A frame is recorded before it is passed on, so that no answer stands before what it
// answers.
func (t *tap) pump(n int, dir string, from io.Reader, to net.Conn) {
	var raw bytes.Buffer
	tee := io.TeeReader(from, &raw)
	for {
		raw.Reset()
		payload, err := frame.Read(tee, talk.FrameLimit)
		rec := talk.Record{Conn: n, Dir: dir, Time: time.Since(t.begun).Seconds()}
		if err == nil {
			t.record(rec, raw.Bytes(), payload)
			if _, err = to.Write(raw.Bytes()); err == nil {
				continue
			}
			raw.Reset()
		}
		rec.End = "hung up"
		if !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
			rec.End = err.Error()
		}
		t.record(rec, raw.Bytes(), nil)
		_, _ = to.Write(raw.Bytes())
		_, _ = io.Copy(to, from) // of what is no frame, the rest is passed on unseen
		if w, ok := to.(interface{ CloseWrite() error }); ok {
			_ = w.CloseWrite()
		} else {
			_ = to.Close()
		}
		return
	}
}

// open opens a stream to the target, for those who do not speak RPyC on it themselves.
func (t *target) open(ctx context.Context) (net.Conn, error) {
	if t.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.timeout)
		defer cancel()
	}
	if t.service == "" {
		return transport.Dial(ctx, t.network, t.addr, &t.dialer.Options)
	}
	found, err := protocol.Discover(ctx, t.service, &protocol.Discovery{Registrar: t.registrar})
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, ep := range found {
		c, err := transport.Dial(ctx, ep.Network(), ep.Addr(), &t.dialer.Options)
		if err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}
