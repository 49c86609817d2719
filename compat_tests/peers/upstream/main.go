// Command upstream serves Go forms of the services that RPyC's own test suite defines, so that the suite's tests run
// against Go servers: see compat_tests/upstream/README.md.
//
// It reads a JSON object per line from stdin and answers each with one on stdout, {"id": ID, "ok": V} or {"id": ID,
// "error": TEXT}. It ends with stdin.
//
//	{"op": "serve", "service": "test_threads.MyService", "config": {…}, "kind": "threaded", "port": 0, …}
//	                                      opens a server; ok: {"server": N, "port": P, "state": [NAME, …]}
//	{"op": "config", "server": N, "config": {…}}      changes the configuration of the server's next connections
//	{"op": "clients", "server": N}                    ok: number of connections
//	{"op": "closed", "server": N}                     ok: whether the server has stopped listening
//	{"op": "close", "server": N}                      closes the server and its connections
//	{"op": "state", "instance": KEY, "name": NAME}    ok: a field of a service object the test looks into
//	{"op": "ack"}                                     answers an event
//
// An event is a line {"event": NAME, "value": V} of its own accord, which has to be acknowledged: it stands for what a
// service of the suite does to the process it shares with the test.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport"
)

func main() {
	if err := run(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "upstream:", err)
		os.Exit(1)
	}
}

// request is a line of stdin.
type request struct {
	ID       int            `json:"id"`
	Op       string         `json:"op"`
	Server   int            `json:"server"`
	Service  string         `json:"service"`
	Instance string         `json:"instance"`
	Name     string         `json:"name"`
	Kind     string         `json:"kind"`
	Host     string         `json:"host"`
	Port     int            `json:"port"`
	Path     string         `json:"path"`
	TLS      *tlsFiles      `json:"tls"`
	Config   map[string]any `json:"config"`
	// Files says where the tests' Python has modules of its own: the suite's servers, in the same process, have them
	// there.
	Files map[string]string `json:"files"`
}

// tlsFiles are the arguments of an SSLAuthenticator.
type tlsFiles struct {
	Key     string `json:"key"`
	Cert    string `json:"cert"`
	CA      string `json:"ca"`
	Require bool   `json:"require"`
}

// config is what the SSLAuthenticator would do.
func (f *tlsFiles) config() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, err
	}
	// The suite's certificates were good for a month of 2025. This server lives in it.
	then := pair.Leaf.NotBefore.Add(pair.Leaf.NotAfter.Sub(pair.Leaf.NotBefore) / 2)
	files := &transport.TLSFiles{Cert: f.Cert, Key: f.Key, CA: f.CA, Verify: transport.VerifyNone,
		Base: &tls.Config{Time: func() time.Time {
			return then
		}}}
	if f.Require {
		files.Verify = transport.VerifyRequired
	}
	return files.Server()
}

// control is the conversation with the tests.
type control struct {
	ctx context.Context

	mu        sync.Mutex
	out       *json.Encoder
	servers   map[int]*server
	instances map[string]any
	acks      chan struct{}
	files     map[string]string
}

func run(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := &control{
		ctx: ctx, out: json.NewEncoder(out),
		servers: map[int]*server{}, instances: map[string]any{}, acks: make(chan struct{}, 1),
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r request
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return err
		}
		if r.Op == "ack" {
			c.acks <- struct{}{}
			continue
		}
		v, err := c.perform(&r)
		answer := map[string]any{"id": r.ID, "ok": v}
		if err != nil {
			answer = map[string]any{"id": r.ID, "error": err.Error()}
		}
		if err := c.write(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (c *control) write(v any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Encode(v)
}

// tell makes the tests' process do something and waits until it has.
func (c *control) tell(event string, value any) {
	if c.write(map[string]any{"event": event, "value": value}) == nil {
		<-c.acks
	}
}

func (c *control) perform(r *request) (any, error) {
	switch r.Op {
	case "serve":
		if r.Files != nil {
			c.files = r.Files
		}
		return c.serve(r)
	case "state":
		s, ok := c.instance(r.Instance).(stateful)
		if !ok {
			return nil, fmt.Errorf("no service object %q", r.Instance)
		}
		return s.state()[r.Name], nil
	}
	c.mu.Lock()
	s := c.servers[r.Server]
	c.mu.Unlock()
	if s == nil {
		return nil, fmt.Errorf("no server %d", r.Server)
	}
	switch r.Op {
	case "config":
		return nil, s.configure(r.Config)
	case "clients":
		return s.clients(), nil
	case "closed":
		return s.closed(), nil
	case "close":
		s.close()
		return nil, nil
	}
	return nil, fmt.Errorf("unknown operation %q", r.Op)
}

func (c *control) instance(key string) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.instances[key]
}

// stateful is a service object whose fields a test looks at.
type stateful interface{ state() map[string]any }
