package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/shadow"
	"github.com/gorpyc/gorpyc/protocol/transport"
)

func shadowCommand() *cli.Command {
	return &cli.Command{
		Name: "shadow", Category: groupCompare,
		Usage:     "compare two servers under the traffic of real clients",
		ArgsUsage: "[ADDRESS] --new ADDRESS",
		Description: `Clients connect to --listen. The old server, at ADDRESS, answers them; the new one, at --new, is
asked the same a little later, and where it says something else is reported: results, types, exceptions, attributes,
callbacks, times.
Clients wait for the old server alone: if the new one is slow, dead or hangs, requests are left out of the comparison
and counted. Ctrl-C ends it with the report; exit status 1 says that there were differences.

Only what --safe names is called at both, unless --all is given, for servers on which nothing can be spoilt. Objects
that both return are paired, so that calls of their methods are compared, too. A callback of the client's is called
once, by the server that answers; the other is told what the client has said to that.

With --percent, so many in a hundred of the clients are answered by the new server, and the old one is asked the same;
if it cannot be reached, the old one answers. POST /percent?n=N at --http changes it.`,
		Flags: connectionFlags(
			&cli.StringFlag{Name: "listen", Aliases: []string{"l"}, Value: "127.0.0.1:0",
				Usage: "`ADDRESS` for the clients, HOST:PORT or unix:PATH"},
			&cli.StringFlag{Name: "new", Usage: "the new server is at `ADDRESS`, HOST:PORT or unix:PATH"},
			&cli.BoolFlag{Name: "new-tls", Usage: "the new server speaks TLS; implied by the next ones"},
			&cli.StringFlag{Name: "new-ca", TakesFile: true, Usage: "its certificate is signed by one in `FILE`"},
			&cli.BoolFlag{Name: "new-insecure", Usage: "accept any certificate of its"},
			&cli.StringSliceFlag{Name: "safe", Usage: "call methods whose names match `PATTERN` (get_*, *_total) at both. May " +
				"be given several times"},
			&cli.BoolFlag{Name: "all", Usage: "do everything at both, whatever it changes"},
			&cli.StringFlag{Name: "sample", Value: "100%", Usage: "compare this `SHARE` of the calls, such as 10%"},
			&cli.IntFlag{Name: "percent", Usage: "the new server answers `NUMBER` in a hundred of the clients"},
			&cli.StringSliceFlag{Name: "ignore", Usage: "do not compare what methods whose names match `PATTERN` answer. " +
				"May be given several times"},
			&cli.StringSliceFlag{Name: "same", Usage: "`OLD=NEW`: the class of the old server's that has the name OLD stands " +
				"for NEW of the new one's. May be given several times"},
			&cli.IntFlag{Name: "queue", Value: 10_000, Usage: "so `MANY` messages of a client may wait for the server " +
				"that is asked"},
			&cli.IntFlag{Name: "memory", Value: 256, Usage: "messages of all clients that wait so may have `MIB` MiB " +
				"together"},
			&cli.DurationFlag{Name: "patience", Value: 30 * time.Second, Usage: "the server that is asked may take " +
				"`DURATION` for an answer, or is given up for this client"},
			&cli.BoolFlag{Name: "redact", Category: groupOutput, Usage: "report types and sizes, and no values"},
			&cli.StringFlag{Name: "http", Usage: "answer /report, /report.json and /percent at `[HOST]:PORT`"},
			&cli.DurationFlag{Name: "every", Category: groupOutput, Usage: "print the report every `DURATION`, too"},
			&cli.BoolFlag{Name: "json", Category: groupOutput, Usage: "print JSON"}),
		Action: runShadow,
	}
}

func runShadow(c *cli.Context) error {
	t, args, err := targetOf(c)
	if err != nil {
		return err
	}
	if err := want(args, 0, 0, "no further arguments"); err != nil {
		return err
	}
	o, err := shadowOptions(c, t)
	if err != nil {
		return err
	}
	percent := c.Int("percent")
	if percent < 0 || percent > 100 {
		return usage("--percent: %d is not from 0 to 100", percent)
	}
	network, addr := "tcp", c.String("listen")
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	l, err := transport.Listen(c.Context, network, addr)
	if err != nil {
		return coded{err, exitFailed}
	}
	p := shadow.New(o, percent)
	if addr := c.String("http"); addr != "" {
		web, err := serveShadowPage(c.Context, p, addr)
		if err != nil {
			_ = l.Close()
			return coded{err, exitFailed}
		}
		defer web.Close()
	}
	fmt.Fprintln(c.App.ErrWriter, "READY", l.Addr())
	write := p.Report.WriteTable
	if c.Bool("json") {
		write = p.Report.WriteJSON
	}
	if every := c.Duration("every"); every > 0 {
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for tick := time.NewTicker(every); ; {
				select {
				case <-stop:
					tick.Stop()
					return
				case <-tick.C:
					_ = write(c.App.Writer)
				}
			}
		}()
	}
	if err := errors.Join(p.Serve(c.Context, l), write(c.App.Writer)); err != nil {
		return coded{err, exitFailed}
	}
	if n := p.Report.Different(); n > 0 {
		return coded{fmt.Errorf("%d differences", n), exitException}
	}
	return nil
}

func shadowOptions(c *cli.Context, t *target) (shadow.Options, error) {
	o := shadow.Options{Old: t.open, Safe: c.StringSlice("safe"), All: c.Bool("all"), Ignore: c.StringSlice("ignore"),
		Redact: c.Bool("redact"), Queue: c.Int("queue"), Memory: int64(c.Int("memory")) << 20,
		Patience: c.Duration("patience"), Same: map[string]string{}}
	if c.String("new") == "" {
		return o, usage("--new has to say where the new server is: HOST:PORT or unix:PATH (try --help)")
	}
	if len(o.Safe) == 0 && !o.All {
		return o, usage("--safe or --all has to say what may be called at both servers")
	}
	if c.Int("memory") < 1 || c.Int("queue") < 1 {
		return o, usage("--memory and --queue are to be positive")
	}
	for _, pattern := range append(c.StringSlice("safe"), c.StringSlice("ignore")...) {
		if _, err := path.Match(pattern, ""); err != nil {
			return o, usage("%q is no pattern: %v", pattern, err)
		}
	}
	share, err := strconv.ParseFloat(strings.TrimSuffix(c.String("sample"), "%"), 64)
	if err != nil || share <= 0 || share > 100 {
		return o, usage("--sample: %q is not from 0%% to 100%%", c.String("sample"))
	}
	o.Sample = share / 100
	for _, pair := range c.StringSlice("same") {
		a, b, ok := strings.Cut(pair, "=")
		if !ok {
			return o, usage("--same: %q is not OLD=NEW", pair)
		}
		o.Same[a] = b
	}
	network, addr := "tcp", c.String("new")
	options := transport.Options{}
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	} else if _, _, err := net.SplitHostPort(addr); err != nil {
		return o, usage("--new: %v", err)
	}
	if c.Bool("new-tls") || c.Bool("new-insecure") || c.String("new-ca") != "" {
		files := &transport.TLSFiles{CA: c.String("new-ca")}
		if c.Bool("new-insecure") {
			files.Verify = transport.VerifyNone
		}
		if options.TLS, err = files.Client(); err != nil {
			return o, coded{err, exitFailed}
		}
	}
	o.New = func(ctx context.Context) (net.Conn, error) { return transport.Dial(ctx, network, addr, &options) }
	return o, nil
}

// serveShadowPage answers with the report, and takes orders how many clients the new server answers.
func serveShadowPage(ctx context.Context, p *shadow.Proxy, addr string) (*http.Server, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	web := &http.Server{Handler: shadowPage(p), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second}
	go func() { _ = web.Serve(l) }()
	return web, nil
}

// shadowPage refuses orders that pages of other sites have a browser give, which may reach what they do not.
func shadowPage(p *shadow.Proxy) http.Handler {
	mux := http.NewServeMux()
	page := func(kind string, write func(io.Writer) error) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			_ = write(w)
		}
	}
	mux.HandleFunc("GET /report", page("text/plain; charset=utf-8", p.Report.WriteTable))
	mux.HandleFunc("GET /report.json", page("application/json", p.Report.WriteJSON))
	mux.HandleFunc("GET /percent", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, p.Percent()) })
	mux.HandleFunc("POST /percent", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Query().Get("n"))
		if err != nil || n < 0 || n > 100 {
			http.Error(w, "n is a number from 0 to 100", http.StatusBadRequest)
			return
		}
		p.SetPercent(n)
		fmt.Fprintln(w, n)
	})
	return http.NewCrossOriginProtection().Handler(mux)
}
