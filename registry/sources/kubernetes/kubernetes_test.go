package kubernetes_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/registry/sources/kubernetes"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// apiServer has each request answered by what the test says.
type apiServer chan *exchange

// exchange is a request and its answer.
type exchange struct {
	*http.Request
	answer chan string // "" ends it; a number is a status and ends it
}

func (s apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{r, make(chan string)}
	s <- x
	for {
		select {
		case text := <-x.answer:
			switch {
			case text == "":
				return
			case len(text) == 3:
				code := 0
				_, _ = fmt.Sscan(text, &code)
				http.Error(w, `{"kind": "Status"}`, code)
				return
			}
			_, _ = w.Write([]byte(text))
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// slice is an EndpointSlice as kubectl get -o json shows it.
func slice(name, version, kind string, endpoints ...string) string {
	return fmt.Sprintf(`{"kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1",
		"metadata": {"name": %q, "resourceVersion": %q, "labels": {"kubernetes.io/service-name": "calc"}},
		"addressType": %q, "endpoints": [%s],
		"ports": [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "rpyc", "port": 18861, "protocol": "TCP"}]}`,
		name, version, kind, strings.Join(endpoints, ","))
}

func list(version, next string, slices ...string) string {
	return fmt.Sprintf(`{"kind": "EndpointSliceList", "metadata": {"resourceVersion": %q, "continue": %q}, "items": [%s]}`,
		version, next, strings.Join(slices, ","))
}

func event(kind, object string) string {
	return fmt.Sprintf("{\"type\": %q, \"object\": %s}\n", kind, object)
}

// TestKubernetes follows a service through lists in pages, changes, bookmarks, ends of requests, and versions that have
// expired.
func TestKubernetes(t *testing.T) {
	s := make(apiServer)
	srv := httptest.NewTLSServer(s)
	defer srv.Close()
	account := t.TempDir()
	put := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(account, name), []byte(text), 0o600))
	}
	put("token", "first\n")
	put("namespace", "prod")
	put("ca.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
	host, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	require.NoError(t, err)
	t.Setenv("KUBERNETES_SERVICE_HOST", host)
	t.Setenv("KUBERNETES_SERVICE_PORT", port)

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	source := &kubernetes.Source{Service: "calc", Port: "rpyc", Account: account}
	updates, ended := make(chan []protocol.Address, 100), make(chan error, 1)
	watch := func() { ended <- source.Watch(ctx, func(a []protocol.Address) { updates <- a }) }
	// next takes a request whose query has this besides what all have.
	var r *exchange
	next := func(want map[string]string) {
		t.Helper()
		select {
		case r = <-s:
		case err := <-ended:
			t.Fatal("ended:", err)
		}
		require.Equal(t, "/apis/discovery.k8s.io/v1/namespaces/prod/endpointslices", r.URL.Path)
		require.Equal(t, "kubernetes.io/service-name=calc", r.URL.Query().Get("labelSelector"))
		token, err := os.ReadFile(filepath.Join(account, "token"))
		require.NoError(t, err)
		require.Equal(t, "Bearer "+strings.TrimSpace(string(token)), r.Header.Get("Authorization"))
		for _, key := range []string{"watch", "resourceVersion", "continue"} {
			require.Equal(t, want[key], r.URL.Query().Get(key), key)
		}
	}
	watchFrom := func(version string) map[string]string {
		return map[string]string{"watch": "1", "resourceVersion": version}
	}
	at := func(ip, zone string) protocol.Address {
		return protocol.Address{Addr: net.JoinHostPort(ip, "18861"), Zone: zone, ServerName: "calc.prod.svc"}
	}

	go watch()
	next(nil)
	r.answer <- list("10", "more", slice("a", "8", "IPv4",
		`{"addresses": ["10.0.0.1", "10.9.9.9"], "conditions": {"ready": true}, "zone": "eu-1"}`,
		`{"addresses": ["10.0.0.2"], "conditions": {}}`,
		`{"addresses": ["10.0.0.3"], "conditions": {"ready": false, "serving": true, "terminating": true}}`))
	put("token", "second")
	r.answer <- ""
	next(map[string]string{"continue": "more"})
	r.answer <- list("10", "", slice("b", "9", "IPv6", `{"addresses": ["2001:db8::1"], "conditions": {"ready": true}}`))
	r.answer <- ""
	require.Equal(t, []protocol.Address{at("10.0.0.1", "eu-1"), at("10.0.0.2", "")}, <-updates)

	next(watchFrom("10"))
	r.answer <- event("ADDED", slice("c", "11", "IPv4", `{"addresses": ["10.0.0.4"]}`))
	require.Equal(t, []protocol.Address{at("10.0.0.1", "eu-1"), at("10.0.0.2", ""), at("10.0.0.4", "")}, <-updates)
	r.answer <- event("MODIFIED", slice("a", "12", "IPv4", `{"addresses": ["10.0.0.2"]}`))
	require.Equal(t, []protocol.Address{at("10.0.0.2", ""), at("10.0.0.4", "")}, <-updates)
	r.answer <- event("BOOKMARK", `{"kind": "EndpointSlice", "metadata": {"resourceVersion": "20"}, "endpoints": null}`)
	r.answer <- `{"type": "MODIF` // the connection is lost
	r.answer <- ""
	next(watchFrom("20"))
	r.answer <- event("DELETED", slice("a", "21", "IPv4"))
	require.Equal(t, []protocol.Address{at("10.0.0.4", "")}, <-updates)
	r.answer <- event("ERROR", `{"kind": "Status", "status": "Failure", "reason": "Expired", "code": 410}`)
	next(nil)
	r.answer <- list("30", "", slice("b", "29", "IPv6", `{"addresses": ["2001:db8::1"]}`))
	r.answer <- ""
	require.Equal(t, []protocol.Address{at("2001:db8::1", "")}, <-updates, "there is nothing else")
	next(watchFrom("30"))
	r.answer <- "410"
	next(nil)
	r.answer <- list("40", "")
	r.answer <- ""
	require.Empty(t, <-updates)
	next(watchFrom("40"))
	r.answer <- event("ERROR", `{"kind": "Status", "code": 500, "message": "etcd is gone"}`)
	require.ErrorContains(t, <-ended, "500 etcd is gone")

	for answer, want := range map[string]string{"403": "403 Forbidden", "{]": "invalid character"} {
		go watch()
		next(nil)
		r.answer <- answer
		if len(answer) != 3 {
			r.answer <- ""
		}
		require.ErrorContains(t, <-ended, want)
	}
	go watch()
	next(nil)
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)

	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	require.ErrorContains(t, source.Watch(t.Context(), nil), "not in a cluster")
	require.ErrorContains(t, (&kubernetes.Source{Service: "calc", Account: t.TempDir()}).Watch(t.Context(), nil),
		"no namespace")
	require.ErrorContains(t, (&kubernetes.Source{Account: account}).Watch(t.Context(), nil), "no Service")
	put("ca.crt", "none")
	source = &kubernetes.Source{Service: "calc", Account: account, Server: srv.URL}
	require.ErrorContains(t, source.Watch(t.Context(), nil), "no certificates")
}

// TestMoreThanIsKept is told of more endpoints than a client looks at, and of names longer than Kubernetes has.
func TestMoreThanIsKept(t *testing.T) {
	s := make(apiServer)
	srv := httptest.NewServer(s)
	defer srv.Close()
	source := &kubernetes.Source{Service: "calc", Namespace: "prod", Server: srv.URL, Client: srv.Client()}
	ctx, cancel := context.WithCancel(t.Context())
	updates, ended := make(chan []protocol.Address), make(chan error, 1)
	go func() { ended <- source.Watch(ctx, func(a []protocol.Address) { updates <- a }) }()
	endpoint := func(name string) string { return fmt.Sprintf(`{"addresses": [%q]}`, name) }
	var half []string
	for i := range 6000 {
		half = append(half, endpoint(fmt.Sprint("10.0.0.", i)))
	}
	long := strings.Repeat("a", 254)
	r := <-s
	go func() {
		r.answer <- list("1", "more", slice("a", "1", "IPv4", append(half, endpoint(long))...),
			slice(long, "1", "IPv4", endpoint("10.0.0.1")), slice("b", "1", "IPv4", half...), slice("c", "1", "IPv4", half...))
		r.answer <- ""
	}()
	require.Len(t, <-updates, 10_000, "and the next page is not asked for")
	r = <-s
	require.Equal(t, "1", r.URL.Query().Get("watch"))
	r.answer <- event("MODIFIED", slice("b", "2", "IPv4", endpoint("10.1.0.1")))
	require.Len(t, <-updates, 6001)
	r.answer <- event("ADDED", slice("c", "3", "IPv4", endpoint("10.1.0.2")))
	require.Len(t, <-updates, 6002)
	r.answer <- event("ADDED", `{"metadata": {"name": "c"}, "addressType": "IPv4", "ports": [{"port": "x"}]}`)
	require.ErrorContains(t, <-ended, "kubernetes: json: cannot unmarshal string")
	cancel()
}
