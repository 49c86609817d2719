package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/protocol"
)

const groupMetadata = "Beside calls, for servers that read metadata"

// callingFlags are those of commands that connect and call something.
func callingFlags(more ...cli.Flag) []cli.Flag {
	return connectionFlags(append(more,
		&cli.BoolFlag{Category: groupMetadata, Name: "metadata", Usage: "say how long the answer is waited for, which is " +
			"--timeout, and when it is not waited for any longer, as after Ctrl-C; implied by the next ones"},
		&cli.StringFlag{Category: groupMetadata, Name: "trace", Usage: "call in the trace `TRACEPARENT`, a header of W3C " +
			"Trace Context, or \"new\" for one whose header is printed on stderr"},
		&cli.StringSliceFlag{Category: groupMetadata, Name: "pair", Usage: "send `NAME=VALUE`. May be given several times"},
		&cli.StringFlag{Category: groupMetadata, Name: "call-token-file", TakesFile: true,
			Usage: "send the token in `FILE` with each call"},
	)...)
}

// metadataOf is what goes beside calls; false if nothing does.
func metadataOf(c *cli.Context) (m protocol.Metadata, on bool, err error) {
	on = c.Bool("metadata")
	if m.TraceParent = c.String("trace"); m.TraceParent == "new" {
		var id [16 + 8]byte
		_, _ = rand.Read(id[:]) // it never fails
		m.TraceParent = fmt.Sprintf("00-%s-%s-01", hex.EncodeToString(id[:16]), hex.EncodeToString(id[16:]))
		fmt.Fprintln(c.App.ErrWriter, "traceparent:", m.TraceParent)
	}
	for _, pair := range c.StringSlice("pair") {
		name, value, found := strings.Cut(pair, "=")
		if !found || name == "" {
			return m, false, usage("--pair: %q is not NAME=VALUE", pair)
		}
		if m.Pairs == nil {
			m.Pairs = map[string]string{}
		}
		m.Pairs[name] = value
	}
	if path := c.String("call-token-file"); path != "" {
		data, err := os.ReadFile(path)
		if err != nil {
			return m, false, coded{err, exitFailed}
		}
		m.Token = strings.TrimRight(string(data), "\r\n")
	}
	return m, on || m.TraceParent != "" || m.Token != "" || len(m.Pairs) > 0, nil
}

// withMetadata is the context of what is called.
func (t *target) withMetadata(ctx context.Context) context.Context {
	if t.metadata == nil {
		return ctx
	}
	return protocol.WithMetadata(ctx, *t.metadata)
}
