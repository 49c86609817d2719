package status

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/observe/page/pagetest"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// calculator is the service.
type calculator struct{}

func (calculator) Add(a, b int) int { return a + b }
func (calculator) Div(a, by int) (int, error) {
	if by == 0 {
		return 0, errors.New("</pre><script>alert(1)</script>")
	}
	return a / by, nil
}
func (calculator) List() *[]int { return &[]int{1} }

// hostile is a peer whose name is not to become a part of the page.
var hostile = &protocol.Identity{Kind: "tls", Name: `<img src=x onerror="alert(2)">`}

// connected is a connection to a calculator that s is told of.
func connected(t *testing.T, s *Status, id *protocol.Identity) *protocol.Conn {
	t.Helper()
	cfg := &protocol.Config{Hooks: s.Hooks()}
	if id != nil {
		cfg.Credentials = id
	}
	near, far := transport.Pipe()
	a, err := protocol.NewConn(context.Background(), near, calculator{}, cfg)
	require.NoError(t, err)
	b, err := protocol.DialStream(t.Context(), far, nil, nil)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = b.Close()
		<-a.Done()
		<-b.Done()
	})
	return b
}

// TestLongIdentity: the page of a server with many peers has a bounded length, whatever they are called.
func TestLongIdentity(t *testing.T) {
	s := New(nil)
	connected(t, s, &protocol.Identity{Kind: "tls", Name: strings.Repeat("é", 1<<16)})
	name := s.Report().Peers[0].Identity
	require.LessOrEqual(t, len(name), 2*maxIdentity)
	require.Contains(t, name, "tls:éé")
}

// used is a status of which two peers have made calls, some of which have failed.
func used(t *testing.T) (s *Status, list *netref.Object) {
	s = New(&Options{Title: "<Calculator>"})
	a, b := connected(t, s, hostile), connected(t, s, nil)
	for i := range 20 {
		_, err := netref.Call[int](t.Context(), a.Root(), "add", i, i)
		require.NoError(t, err)
	}
	_, err := netref.Call[int](t.Context(), b.Root(), "div", 1, 0)
	require.Error(t, err)
	for i := range 3 {
		_, err = netref.Call[int](t.Context(), a.Root(), fmt.Sprintf("<b>none%d</b>", i))
		require.Error(t, err)
	}
	list, err = netref.Call[*netref.Object](t.Context(), b.Root(), "list")
	require.NoError(t, err)
	return s, list
}

func get(t *testing.T, h http.Handler, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

func TestReport(t *testing.T) {
	s, list := used(t)
	w := get(t, s, "/status.json")
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var r Report
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &r))
	exported := 3 // two roots, and the list
	require.Equal(t, Totals{Connections: 2, Opened: 2, Calls: 25, Failed: 4, Exported: exported}, r.Totals)
	require.Len(t, r.Peers, 2)
	for i, want := range []Peer{{Identity: hostile.String(), Calls: 23, Failed: 3, Exported: 1},
		{Calls: 2, Failed: 1, Exported: 2}} {
		want.Conn, want.Age = r.Peers[i].Conn, r.Peers[i].Age
		want.Release, want.Family = "gorpyc", "D"
		require.Equal(t, want, r.Peers[i])
	}
	var names []string
	for _, m := range r.Methods {
		names = append(names, fmt.Sprint(m.Name, " ", m.Calls, " ", m.Failed))
		require.Len(t, m.History, slots-1)
		require.LessOrEqual(t, m.P50, m.P99)
		require.LessOrEqual(t, m.P99, m.Longest)
		require.Positive(t, m.Longest)
	}
	require.Equal(t, []string{"status.calculator.add 20 0", "other 3 3", "status.calculator.div 1 1",
		"status.calculator.list 1 0"}, names)
	require.Len(t, r.Errors, 4)
	require.Contains(t, r.Errors[0].Method, "<b>none2</b>", "the latest first")
	require.Equal(t, "AttributeError", r.Errors[0].Class)
	require.Equal(t, "</pre><script>alert(1)</script>", r.Errors[3].Text)
	require.Equal(t, "RuntimeError", r.Errors[3].Class)
	require.Regexp(t, `(?s)Traceback.*status_test\.go.*RuntimeError: `, r.Errors[3].Traceback)
	require.Len(t, r.Slowest, maxSlow)
	for i := 1; i < maxSlow; i++ {
		require.GreaterOrEqual(t, r.Slowest[i-1].Seconds, r.Slowest[i].Seconds)
	}
	list.Release()
	require.Eventually(t, func() bool {
		return s.Report().Totals.Exported == exported-1
	}, 30*time.Second, time.Millisecond)
	hidden := New(&Options{HideErrors: true})
	_, err := netref.Call[int](t.Context(), connected(t, hidden, nil).Root(), "div", 1, 0)
	require.Error(t, err)
	f := hidden.Report().Errors[0]
	require.Equal(t, "RuntimeError", f.Class)
	require.Empty(t, f.Text+f.Traceback)
}

func TestPage(t *testing.T) {
	s, _ := used(t)
	w := get(t, s, "/")
	body := w.Body.String()
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	require.Contains(t, body, "<h1>&lt;Calculator&gt;</h1>")
	require.Contains(t, body, "&lt;img src=x onerror=")
	require.Contains(t, body, "&lt;/pre&gt;&lt;script&gt;alert(1)")
	require.NotContains(t, body, "<img")
	require.NotContains(t, body, "<b>none")
	require.Equal(t, 1, strings.Count(body, "<script>"))
	for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(body, -1) {
		d := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else {
				require.NoError(t, err, svg)
			}
		}
	}
	require.Contains(t, get(t, New(nil), "/").Body.String(), "Nothing has been called yet.")
	require.Equal(t, http.StatusNotFound, get(t, s, "/other").Code)
	post := httptest.NewRecorder()
	s.ServeHTTP(post, httptest.NewRequest(http.MethodPost, "/", nil))
	require.Equal(t, http.StatusMethodNotAllowed, post.Code)
}

// request has the status told of a request that was served, without serving any.
func (s *Status) request(method string, took time.Duration, err error) {
	(*recorder)(s).ServeEnd(context.Background(), &protocol.RequestInfo{Conn: new(protocol.Conn), Op: wire.HandleCallAttr,
		Class: "m.Service", Method: method, Known: true, Duration: took, Err: err})
}

// TestHistory: what is older than ten minutes is not shown, nor is a slow call after an hour.
func TestHistory(t *testing.T) {
	s := New(nil)
	now := time.Unix(1_000_000, 0)
	s.now = func() time.Time { return now }
	for i := range 100 {
		s.request("f", time.Duration(i+1)*time.Millisecond, nil)
	}
	now = now.Add(slotTime)
	s.request("f", 2*time.Second, io.EOF)
	m := s.Report().Methods[0]
	last := m.History[slots-2]
	require.EqualValues(t, 100, last.Calls)
	require.InDelta(t, .05, last.P50, .05*.75, "a bucket is 1.74 times as wide as the one before")
	require.GreaterOrEqual(t, last.P50, .05)
	require.InDelta(t, .1, last.P99, .0005, "no more than the longest")
	require.InDelta(t, 2, m.Longest, 0)
	require.Equal(t, uint64(1), m.Failed)
	now = now.Add(slotTime)
	m = s.Report().Methods[0]
	require.Equal(t, Point{Calls: 1, Failed: 1, P50: 2, P99: 2}, m.History[slots-2])
	require.EqualValues(t, 100, m.History[slots-3].Calls)
	require.InDelta(t, 2, s.Report().Slowest[0].Seconds, 0)
	now = now.Add(10 * time.Minute)
	m = s.Report().Methods[0]
	for _, p := range m.History {
		require.Zero(t, p)
	}
	require.Zero(t, m.Longest)
	require.Equal(t, uint64(101), m.Calls)
	now = now.Add(time.Hour)
	require.Empty(t, s.Report().Slowest)
	s.request("f", time.Microsecond, nil)
	require.Len(t, s.Report().Slowest, 1, "the old ones have made room")
	s.request("f", time.Hour, nil)
	require.InDelta(t, 3600, s.Report().Methods[0].Longest, 0)
}

// TestBounded: whatever comes, what is kept is bounded, and texts are cut between characters.
func TestBounded(t *testing.T) {
	s := New(nil)
	for i := range 3 * maxMethods {
		s.request(fmt.Sprint("f", i), time.Duration(i), errors.New(strings.Repeat("ü", maxText)))
	}
	r := s.Report()
	require.Len(t, r.Methods, maxMethods+1)
	require.Equal(t, other, r.Methods[0].Name)
	require.EqualValues(t, 2*maxMethods, r.Methods[0].Calls)
	require.Len(t, r.Slowest, maxSlow)
	require.Len(t, r.Errors, maxErrors)
	require.Contains(t, r.Errors[0].Method, fmt.Sprint("f", 3*maxMethods-1))
	require.Equal(t, strings.Repeat("ü", maxText/2)+"…", r.Errors[0].Text)
	body := get(t, s, "/").Body.String()
	require.Contains(t, body, fmt.Sprint(maxMethods+1-pageMethods, " more are in"))
	require.Less(t, len(body), 500_000)
}

// TestPageInBrowser has the page update itself in a real browser.
func TestPageInBrowser(t *testing.T) {
	s, _ := used(t)
	s.opts.Refresh = time.Second
	web := httptest.NewServer(s)
	defer web.Close()
	dom, console := pagetest.Open(t, web.URL+"/", "--virtual-time-budget=5000", "--dump-dom")
	require.Empty(t, pagetest.Complaint(console))
	require.Contains(t, dom, `data-live="yes"`, "the script runs")
	require.Contains(t, dom, "status.calculator.add")
}

func TestScreenshots(t *testing.T) {
	s, _ := used(t)
	now := time.Now()
	s.now = func() time.Time { return now }
	for i := range 2 * slots {
		for n := range 20 + 15*(i%7) + i/4 {
			var err error
			if n == 0 && i%9 == 0 {
				err = errors.New("no stock of <tea>")
			}
			s.request("search", time.Duration(300+n*n*(1+i%5))*time.Microsecond, err)
			if n%4 == 0 {
				s.request("take_order", time.Duration(1500+40*n)*time.Microsecond, nil)
			}
		}
		now = now.Add(slotTime / 2)
	}
	web := httptest.NewServer(s)
	defer web.Close()
	pagetest.Screenshots(t, web.URL+"/", "status")
}
