package etcdstore

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/registry"
)

// A key is the prefix, the host and the port, or "unix:" and the path: /rpyc/registry/10.0.0.7/18861. The value is
// JSON:
//
//	{"version":1,"host":"10.0.0.7","port":18861,"names":{"CALCULATOR":[since,seen]}}
//
// with milliseconds since 1970. Texts are escaped as in URLs, because names of Python 2 peers may be any bytes and JSON
// is UTF-8. A value without names says that the endpoint was unregistered; the key goes right after.

const recordVersion = 1

type record struct {
	Version int              `json:"version"`
	Host    string           `json:"host"`
	Port    int              `json:"port,omitempty"`
	Path    string           `json:"path,omitempty"`
	Names   map[string]times `json:"names"`
}

// times are when a registration began and when it was renewed, in milliseconds since 1970.
type times [2]int64

const (
	since = iota
	seen
)

func keyOf(prefix string, ep registry.Endpoint) string {
	if ep.Path != "" {
		return prefix + url.PathEscape(ep.Host) + "/unix:" + url.PathEscape(ep.Path)
	}
	return prefix + url.PathEscape(ep.Host) + "/" + strconv.Itoa(ep.Port)
}

func encode(ep registry.Endpoint, names map[string]times) (string, error) {
	r := record{Version: recordVersion, Host: url.PathEscape(ep.Host), Port: ep.Port, Path: url.PathEscape(ep.Path)}
	r.Names = make(map[string]times, len(names))
	for name, t := range names {
		r.Names[url.PathEscape(name)] = t
	}
	b, err := json.Marshal(r)
	return string(b), err
}

// decode reads what a key says. Whoever can write to etcd can write anything there.
func decode(prefix, key string, value []byte) (ep registry.Endpoint, names map[string]times, err error) {
	var r record
	if err := json.Unmarshal(value, &r); err != nil {
		return ep, nil, err
	}
	if r.Version != recordVersion {
		return ep, nil, fmt.Errorf("version %d, not %d", r.Version, recordVersion)
	}
	if ep.Host, err = url.PathUnescape(r.Host); err != nil {
		return ep, nil, err
	}
	if ep.Path, err = url.PathUnescape(r.Path); err != nil {
		return ep, nil, err
	}
	ep.Port = r.Port
	if ep.Host == "" || ep.Port < 0 || ep.Port > 65535 || ep.Path != "" && ep.Port != 0 || keyOf(prefix, ep) != key {
		return ep, nil, fmt.Errorf("%q is not the endpoint of this key", ep)
	}
	if len(r.Names) > maxNames {
		return ep, nil, &registry.LimitError{What: "names of an endpoint", Got: int64(len(r.Names)), Limit: maxNames}
	}
	names = make(map[string]times, len(r.Names))
	for escaped, t := range r.Names {
		name, err := url.PathUnescape(escaped)
		if err != nil {
			return ep, nil, err
		}
		names[registry.Upper(name)] = t
	}
	return ep, names, nil
}

// registrations are what a table shows of names. Times that another clock has given are kept within what can be.
func registrations(ep registry.Endpoint, names map[string]times, now time.Time) []registry.Registration {
	rs := make([]registry.Registration, 0, len(names))
	for name, t := range names {
		r := registry.Registration{Name: name, Endpoint: ep, Since: time.UnixMilli(t[since]), Seen: time.UnixMilli(t[seen])}
		if r.Seen.After(now) {
			r.Seen = now
		}
		if r.Since.After(r.Seen) {
			r.Since = r.Seen
		}
		rs = append(rs, r)
	}
	slices.SortFunc(rs, func(a, b registry.Registration) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Name, b.Name)) // everywhere the same
	})
	return rs
}

// parseEndpoint reads the two parts of a key.
func parseEndpoint(host, port string) (ep registry.Endpoint, ok bool) {
	var err error
	if ep.Host, err = url.PathUnescape(host); err != nil {
		return ep, false
	}
	if path, isPath := strings.CutPrefix(port, "unix:"); isPath {
		ep.Path, err = url.PathUnescape(path)
	} else {
		ep.Port, err = strconv.Atoi(port)
	}
	return ep, err == nil
}
