// Command goregistrar is a registrar for the compatibility tests: it reads requests from stdin, one JSON object a line,
// and prints what came of each. reference/ref_registrar.py is the same on Python and says what there is.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/gorpyc/gorpyc/registry"
)

type request struct {
	Op        string   `json:"op"`
	Name      string   `json:"name"`
	Names     []string `json:"names"`
	Port      any      `json:"port"`
	Interface string   `json:"interface"`
	Host      string   `json:"host"`
}

func main() {
	transport := flag.String("transport", "udp", "udp or tcp")
	addr := flag.String("addr", "", "the registry's address; none is what the client takes by default")
	python2 := flag.Bool("python2", false, "speak to a registry on Python 2")
	every := flag.Bool("every-interface", false, "broadcast on all of them")
	timeout := flag.Duration("timeout", 0, "how long to wait for answers")
	flag.Parse()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	var r registry.Registrar = &registry.UDPClient{Addr: *addr, Timeout: *timeout, Python2: *python2,
		EveryInterface: *every, Logger: log}
	if *transport == "tcp" {
		r = &registry.TCPClient{Addr: *addr, Timeout: *timeout, Python2: *python2, Logger: log}
	}
	out := json.NewEncoder(os.Stdout)
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var q request
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			fmt.Fprintln(os.Stderr, "goregistrar:", err)
			os.Exit(2)
		}
		result, err := perform(r, q)
		switch {
		case errors.Is(err, registry.ErrNoAnswer):
			_ = out.Encode(map[string]any{"error": "no answer"})
		case errors.Is(err, registry.ErrListingDisabled):
			_ = out.Encode(map[string]any{"error": "disabled"})
		case err != nil:
			_ = out.Encode(map[string]any{"error": err.Error()})
		default:
			_ = out.Encode(map[string]any{"result": result})
		}
	}
}

func perform(r registry.Registrar, q request) (any, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ep := registry.Endpoint{Host: q.Interface}
	switch port := q.Port.(type) {
	case float64:
		ep.Port = int(port)
	case string:
		ep.Path = port
	}
	switch q.Op {
	case "discover":
		eps, err := r.Discover(ctx, q.Name)
		pairs := [][2]any{}
		for _, ep := range eps {
			if ep.Path != "" {
				pairs = append(pairs, [2]any{ep.Host, ep.Path})
			} else {
				pairs = append(pairs, [2]any{ep.Host, ep.Port})
			}
		}
		return pairs, err
	case "list":
		return r.List(ctx, q.Host)
	case "register":
		err := r.Register(ctx, q.Names, ep)
		return err == nil, err
	case "unregister":
		return nil, r.Unregister(ctx, ep)
	case "hosts": // the addresses of this host
		addrs, err := net.InterfaceAddrs()
		return fmt.Sprint(addrs), err
	}
	return nil, fmt.Errorf("no such operation: %q", q.Op)
}
