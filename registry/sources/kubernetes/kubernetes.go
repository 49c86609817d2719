// Package kubernetes has a source of addresses for a protocol.Client: the pods of a Service, by its EndpointSlices. It
// speaks the interface of Kubernetes' API server by itself.
//
// The program's service account needs the verbs list and watch on endpointslices in the group discovery.k8s.io.
package kubernetes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport/pause"
	"github.com/gorpyc/gorpyc/registry/sources/internal/web"
)

// Source watches the EndpointSlices of a Service. A pod is a server while it is ready; one that terminates is not. Its
// zone is the endpoint's. Certificates have to be good for "service.namespace.svc", unless Dialer.TLS says otherwise.
type Source struct {
	// Service is the Service's name.
	Service string
	// Namespace is the Service's; "" means the one that this program runs in.
	Namespace string
	// Port is the name of the Service's port; "" means the first.
	Port string
	// IPv6 takes the IPv6 addresses of a Service that has both; one that has only one kind needs nothing.
	IPv6 bool

	// Server is the API server's URL; "" means the cluster's that this program runs in.
	Server string
	// Account is the directory with the files token, ca.crt and namespace of a service account; "" means where Kubernetes
	// puts them. The token is read for each request, because it is replaced now and then.
	Account string
	// Client makes the requests; nil means one that trusts the account's ca.crt. It must not bound the time of a request
	// below ten minutes.
	Client *http.Client
}

var _ protocol.Source = (*Source)(nil)

const (
	defaultAccount = "/var/run/secrets/kubernetes.io/serviceaccount"
	// watchTime is how long one request watches at least; it is up to twice as long, so that not all come back at once.
	watchTime = 5 * time.Minute
	// grace is how much longer the server may take to end it.
	grace = 30 * time.Second
	// pageSize is how many slices are listed by one request.
	pageSize = 500
	// pace is the shortest time between two requests to watch.
	pace = 200 * time.Millisecond
)

// errExpired says that what is to be watched from is older than what the server remembers.
var errExpired = errors.New("kubernetes: resource version expired")

// Watch implements protocol.Source: it lists the slices and watches from there. When the server ends a request, the
// next one goes on where it was; when the server no longer knows that place (410 Gone), the slices are listed again.
func (s *Source) Watch(ctx context.Context, update func([]protocol.Address)) error {
	w := &watcher{Source: s, update: update}
	if err := w.prepare(); err != nil {
		return err
	}
	defer w.done()
	err := w.run(ctx)
	if ctx.Err() != nil { // which shows in many ways
		return ctx.Err()
	}
	return err
}

// run lists and watches until something fails.
func (w *watcher) run(ctx context.Context) error {
	for {
		if err := w.list(ctx); err != nil {
			return err
		}
		for {
			began := time.Now()
			err := w.watch(ctx)
			if err != nil && !errors.Is(err, errExpired) {
				return err
			}
			if err := pause.For(ctx, pace-time.Since(began)); err != nil {
				return err
			}
			if err != nil {
				break
			}
		}
	}
}

// watcher is one run of Watch.
type watcher struct {
	*Source
	update    func([]protocol.Address)
	client    *http.Client
	server    string
	namespace string
	account   string
	version   string // of what is known
	slices    known
	told      bool
	last      []protocol.Address // that was told
	done      func()
}

// prepare finds out what the fields leave open.
func (w *watcher) prepare() error {
	w.account, w.namespace, w.server = w.Account, w.Namespace, strings.TrimSuffix(w.Server, "/")
	w.done = func() {}
	if w.Service == "" {
		return errors.New("kubernetes: no Service")
	}
	if w.account == "" {
		w.account = defaultAccount
	}
	if w.namespace == "" {
		text, err := os.ReadFile(filepath.Join(w.account, "namespace"))
		if err != nil {
			return fmt.Errorf("kubernetes: no namespace: %w", err)
		}
		w.namespace = strings.TrimSpace(string(text))
	}
	if w.server == "" {
		host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
		if host == "" || port == "" {
			return errors.New("kubernetes: not in a cluster: KUBERNETES_SERVICE_HOST and _PORT are not set")
		}
		w.server = "https://" + net.JoinHostPort(host, port)
	}
	if w.client = w.Client; w.client != nil {
		return nil
	}
	pem, err := os.ReadFile(filepath.Join(w.account, "ca.crt"))
	if err != nil {
		return fmt.Errorf("kubernetes: no authority: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("kubernetes: no certificates in %s", filepath.Join(w.account, "ca.crt"))
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
		Proxy: http.ProxyFromEnvironment}
	w.client, w.done = &http.Client{Transport: transport}, transport.CloseIdleConnections
	return nil
}

// get asks for the service's slices.
func (w *watcher) get(ctx context.Context, query url.Values) (*http.Response, error) {
	header := http.Header{"Accept": {"application/json"}}
	token, err := os.ReadFile(filepath.Join(w.account, "token"))
	if err == nil {
		header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	} else if w.Client == nil { // whose transport may have its own way
		return nil, fmt.Errorf("kubernetes: no token: %w", err)
	}
	query.Set("labelSelector", "kubernetes.io/service-name="+w.Service)
	resp, err := web.Get(ctx, w.client, w.server+"/apis/discovery.k8s.io/v1/namespaces/"+url.PathEscape(w.namespace)+
		"/endpointslices?"+query.Encode(), header)
	var status *web.StatusError
	switch {
	case errors.As(err, &status) && status.Code == http.StatusGone:
		return nil, errExpired
	case err != nil:
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	return resp, nil
}

// list takes all slices.
func (w *watcher) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	all := known{}
	query := url.Values{"limit": {fmt.Sprint(pageSize)}}
	for {
		resp, err := w.get(ctx, query)
		if err != nil {
			return err
		}
		text, err := web.Read(resp.Body)
		_ = resp.Body.Close()
		var page sliceList
		if err == nil {
			err = json.Unmarshal(text, &page)
		}
		if err == nil {
			err = web.Each(page.Items, func(s *slice) error { return all.put(s, w) })
		}
		if err != nil {
			return fmt.Errorf("kubernetes: %w", err)
		}
		w.version = page.Metadata.ResourceVersion
		if page.Metadata.Continue == "" || all.full() {
			break
		}
		query.Set("continue", page.Metadata.Continue)
	}
	w.slices = all
	w.tell()
	return nil
}

// watch takes changes until the server ends the request, which it does after a while.
func (w *watcher) watch(ctx context.Context) error {
	seconds := int((watchTime + rand.N(watchTime)) / time.Second)
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+grace)
	defer cancel()
	resp, err := w.get(ctx, url.Values{"watch": {"1"}, "allowWatchBookmarks": {"true"},
		"resourceVersion": {w.version}, "timeoutSeconds": {fmt.Sprint(seconds)}})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	events := newEvents(resp.Body)
	for {
		e, err := events.next()
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
		if e == nil {
			return nil
		}
		if err := w.take(e); err != nil {
			return err
		}
	}
}

// take takes one change.
func (w *watcher) take(e *event) error {
	switch e.Type {
	case "ERROR":
		if e.Object.Code == http.StatusGone {
			return errExpired
		}
		return fmt.Errorf("kubernetes: %d %s", e.Object.Code, e.Object.Message)
	case "ADDED", "MODIFIED":
		if err := w.slices.put(&e.Object.slice, w); err != nil {
			return fmt.Errorf("kubernetes: %w", err)
		}
	case "DELETED":
		w.slices.remove(e.Object.Metadata.Name)
	case "BOOKMARK": // only says how far the server has come
	default:
		return fmt.Errorf("kubernetes: event %.100q", e.Type)
	}
	w.version = e.Object.Metadata.ResourceVersion
	w.tell()
	return nil
}
