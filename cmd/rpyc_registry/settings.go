package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
	"github.com/gorpyc/gorpyc/registry"
)

// settings is what the command line says, checked.
type settings struct {
	networks []string // "udp4", "tcp" …
	host     string
	port     int
	server   registry.Server
	log      program.LogForm
	logFile  string
	http     string
	ping     bool
	ready    bool
}

func parseSettings(c *cli.Context) (*settings, error) {
	s := &settings{port: c.Int("port"), host: c.String("host"), ping: c.Bool("ping"), ready: c.Bool("ready")}
	family := "4"
	if c.Bool("ipv6") || strings.Contains(s.host, ":") {
		family = ""
	}
	switch mode := strings.ToUpper(c.String("mode")); mode {
	case "UDP", "TCP":
		s.networks = []string{strings.ToLower(mode) + family}
	case "BOTH":
		s.networks = []string{"udp" + family, "tcp" + family}
	default:
		return nil, fmt.Errorf("mode %q is none of UDP, TCP, BOTH", c.String("mode"))
	}
	if s.host == "" {
		s.host = "0.0.0.0"
		if c.Bool("ipv6") {
			s.host = "::" // which hears IPv4, too
		}
	}
	if s.port < 0 || s.port > 65535 {
		return nil, fmt.Errorf("port %d is not between 0 and 65535", s.port)
	}
	timeout := c.Int("timeout")
	if timeout <= 0 {
		return nil, fmt.Errorf("timeout %d: no registration could live", timeout)
	}
	listing, err := truth(c.String("listing"))
	if err != nil {
		return nil, err
	}
	advertise, err := parseAdvertise(c.StringSlice("advertise"))
	if err != nil {
		return nil, err
	}
	if s.http, err = httpAddr(c.String("http")); err != nil {
		return nil, err
	}
	s.server = registry.Server{
		AllowListing: listing,
		Timeout:      time.Duration(timeout) * time.Second,
		Advertise:    advertise,
		StateFile:    c.String("state-file"),
		Limits: registry.Limits{
			Registrations: c.Int("max-registrations"), PerHost: c.Int("max-per-host"), Rate: c.Int("max-rate"),
		},
	}
	if file := c.String("secret-file"); file != "" {
		secret, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("secret: %w", err)
		}
		if s.server.Secret = bytes.TrimSpace(secret); len(s.server.Secret) == 0 {
			return nil, fmt.Errorf("secret: %s is empty", file)
		}
	}
	s.logFile = c.String("logfile")
	if s.log, err = program.ReadLogForm(c); err != nil {
		return nil, err
	}
	if c.Bool("quiet") {
		s.log.Level = slog.LevelError
	}
	return s, nil
}

// truth reads the value of --listing. Python's program takes everything but the empty text for true, "False" included,
// which nobody means.
func truth(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "", "0", "false", "no", "off", "f", "n":
		return false, nil
	case "1", "true", "yes", "on", "t", "y":
		return true, nil
	}
	return false, fmt.Errorf("listing %q is neither true nor false", text)
}

// parseAdvertise reads [NETWORK=]ADDRESS.
func parseAdvertise(rules []string) ([]registry.Advertise, error) {
	var out []registry.Advertise
	for _, rule := range rules {
		network, to, found := strings.Cut(rule, "=")
		if !found {
			network, to = "", rule
		}
		if strings.TrimSpace(to) == "" {
			return nil, fmt.Errorf("advertise %q has no address", rule)
		}
		a := registry.Advertise{To: to}
		if network != "" {
			p, err := netip.ParsePrefix(network)
			if err != nil {
				addr, err := netip.ParseAddr(network)
				if err != nil {
					return nil, fmt.Errorf("advertise %q: %q is neither an address nor a network such as 10.0.0.0/8", rule, network)
				}
				p = netip.PrefixFrom(addr, addr.BitLen())
			}
			a.From = p.Masked()
		}
		out = append(out, a)
	}
	return out, nil
}

// httpAddr completes [ADDRESS:]PORT. The page is for the machine itself unless it says otherwise.
func httpAddr(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	if !strings.Contains(text, ":") {
		text = ":" + text
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", fmt.Errorf("http %q is not [ADDRESS:]PORT", text)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return "", fmt.Errorf("http: %q is no port", port)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
