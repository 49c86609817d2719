package registry

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// recorded is a row of testdata/registry.jsonl: what a registry of an RPyC release was sent and answered, or what a
// registrar sent and made of the answer it was fed.
type recorded struct {
	Env, Transport, Case string
	Listing              *bool           `json:"allow_listing"`
	Request              *string         `json:"request_hex"`
	Reply                *string         `json:"reply_hex"`
	ReplyHead            string          `json:"reply_head_hex"`
	RequestHead          string          `json:"request_head_hex"`
	ReplyLen             int             `json:"reply_len"`
	RequestLen           int             `json:"request_len"`
	Timeout              float64         `json:"pruning_timeout"`
	Wait                 float64         `json:"wait_after"`
	Split                int             `json:"split_at"`
	Crashed              json.RawMessage `json:"server_crashed"`
	Fed                  *string         `json:"fed_reply_hex"`
	Result               *string         `json:"client_result"`
}

func (r recorded) name() string {
	return fmt.Sprintf("%s/%s/%s/%v", r.Env, r.Transport, r.Case, r.Listing != nil && *r.Listing)
}

func readRecorded(t testing.TB) []recorded {
	f, err := os.Open("testdata/registry.jsonl")
	require.NoError(t, err)
	defer f.Close()
	var rows []recorded
	for sc := bufio.NewScanner(f); sc.Scan(); {
		var r recorded
		require.NoError(t, json.Unmarshal(sc.Bytes(), &r))
		rows = append(rows, r)
	}
	require.Len(t, rows, 238)
	return rows
}

// improved says where an answer differs from the recorded one on purpose: hex, or "-" for none.
func improved(r recorded) (reply, why string) {
	py2 := strings.HasPrefix(r.Env, "py2")
	switch {
	case r.Case == "truncated":
		return "-", "a request cut short is no request"
	case r.Case == "request_in_two_segments":
		return "02", "a TCP request may come in pieces"
	case r.Case == "bytes_magic":
		return "02", "Python 2 is answered by whatever the registry runs on"
	case py2 && r.Case == "bytes_command_only":
		return "-", "text and bytes mixed: as Python 3 has it"
	case py2 && r.Case == "register_bytes_alias":
		return "-", "text and bytes mixed: as Python 3 has it"
	case py2 && strings.HasPrefix(r.Case, "list_") && !*r.Listing, strings.Contains(r.Env, "4.1.5") &&
		strings.HasPrefix(r.Case, "list_") && !*r.Listing:
		return "00", "releases before 5.1 did not know LIST"
	case py2 && r.Case == "unicode_all", py2 && r.Case == "bytes_name_only":
		return "02", "the same"
	}
	return "", ""
}

// TestRecordedRequests sends what registries of three releases were sent, in the same order, and compares the answers
// byte for byte.
func TestRecordedRequests(t *testing.T) {
	local := netip.MustParseAddr("127.0.0.1")
	var s *Server
	group, checked := "", 0
	for _, r := range readRecorded(t) {
		if r.Result != nil || r.Timeout != 0 {
			continue // other tests
		}
		g := fmt.Sprint(r.Env, r.Transport, r.Listing == nil, r.Listing != nil && *r.Listing)
		if g != group {
			group = g
			if s != nil {
				require.NoError(t, s.Close())
			}
			s = &Server{AllowListing: r.Listing != nil && *r.Listing}
			s.start()
		}
		checked++
		switch {
		case r.Case == "reply_larger_than_1500":
			checkLargeReply(t, r, s, local)
			continue
		case r.RequestHead != "":
			continue // TestLongRequest
		}
		data, err := hex.DecodeString(*r.Request)
		require.NoError(t, err)
		got := s.handle(udp, nil, local, local, data)
		want := "-"
		if r.Reply != nil {
			want = *r.Reply
		}
		if better, why := improved(r); why != "" {
			want = better
		}
		if want == "-" {
			require.Nil(t, got, "%s: %x", r.name(), got)
		} else {
			require.Equal(t, want, hex.EncodeToString(got), r.name())
		}
	}
	require.NoError(t, s.Close())
	require.Equal(t, 238-36-15, checked)
}

// checkLargeReply: upstream's answer was longer than its clients read; ours is as much of its beginning as they do
// read.
func checkLargeReply(t *testing.T, r recorded, s *Server, local netip.Addr) {
	py2 := form(strings.HasPrefix(r.Env, "py2"))
	for i := range 120 {
		req := registerCall([]string{"BIG"}, Endpoint{Port: 20000 + i}).encode(bool(py2))
		require.NotNil(t, s.handle(udp, nil, local, local, req))
	}
	data, err := hex.DecodeString(*r.Request)
	require.NoError(t, err)
	got := s.handle(udp, nil, local, local, data)
	require.LessOrEqual(t, len(got), MaxDatagram)
	require.Greater(t, len(got), MaxDatagram-32, "there is room for more")
	head, err := hex.DecodeString(r.ReplyHead)
	require.NoError(t, err)
	// The header is a tuple's with its length in one byte in both.
	require.Equal(t, head[0], got[0])
	require.Equal(t, head[2:], got[2:len(head)])
	v, err := brine.Unmarshal(got)
	require.NoError(t, err)
	require.Len(t, v, int(got[1]))
	for i, item := range v.(brine.Tuple) {
		require.Equal(t, int64(20000+i), item.(brine.Tuple)[1])
	}
}

// TestRecordedExpiry repeats upstream's recording of registrations that grow old, second by second.
func TestRecordedExpiry(t *testing.T) {
	checked := 0
	byEnv := map[string][]recorded{}
	for _, r := range readRecorded(t) {
		if r.Timeout != 0 {
			byEnv[r.Env] = append(byEnv[r.Env], r)
		}
	}
	for _, rows := range byEnv {
		synctest.Test(t, func(t *testing.T) {
			local := netip.MustParseAddr("127.0.0.1")
			s := &Server{Timeout: time.Duration(rows[0].Timeout * float64(time.Second))}
			s.start()
			defer s.Close()
			for _, r := range rows {
				data, err := hex.DecodeString(*r.Request)
				require.NoError(t, err)
				require.Equal(t, *r.Reply, hex.EncodeToString(s.handle(udp, nil, local, local, data)), r.name())
				time.Sleep(time.Duration(r.Wait * float64(time.Second))) // the bubble's clock
				checked++
			}
		})
	}
	require.Equal(t, 15, checked)
}

// TestRecordedRegistrars has our registrar do what RPyC's was recorded doing: the same bytes, and the same result from
// the same answer.
func TestRecordedRegistrars(t *testing.T) {
	ctx := context.Background()
	checked := 0
	for _, r := range readRecorded(t) {
		if r.Result == nil {
			continue
		}
		t.Run(r.name(), func(t *testing.T) {
			fake, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			require.NoError(t, err)
			defer fake.Close()
			got := make(chan []byte, 4)
			go func() {
				buf := make([]byte, MaxDatagram)
				for {
					n, from, err := fake.ReadFromUDPAddrPort(buf)
					if err != nil {
						return
					}
					got <- bytes.Clone(buf[:n])
					if r.Fed != nil {
						data, _ := hex.DecodeString(*r.Fed)
						_, _ = fake.WriteToUDPAddrPort(data, from)
					}
				}
			}()
			timeout := 5 * time.Second
			if strings.Contains(r.Case, "timeout") || strings.Contains(r.Case, "no_reply") ||
				strings.Contains(r.Case, "garbage") ||
				strings.Contains(r.Case, "reply_none") || strings.Contains(r.Case, "other_reply") {
				timeout = 50 * time.Millisecond
			}
			c := &UDPClient{Addr: fake.LocalAddr().String(), Timeout: timeout, Python2: strings.HasPrefix(r.Env, "py2")}
			outcome := ask(t, ctx, c, r)
			require.Equal(t, *r.Request, hex.EncodeToString(<-got))
			want := map[string]string{
				"True": "True", "False": "ErrNoAnswer", "None": "None",
				// Upstream fails at an answer that it cannot decode; it may have come from anywhere, so we wait for another.
				"TypeError: 'NoneType' object is not callable": "ErrNoAnswer",
			}[*r.Result]
			switch {
			case want == "":
				want = *r.Result
			case r.Case == "client_discover_reply_none":
				want = "ErrNoAnswer"
			case r.Case == "client_list_denied":
				want = "ErrListingDisabled"
			}
			if r.Case == "client_discover_timeout" {
				want = "ErrNoAnswer" // and not the same as an answer that says nobody
			}
			if r.Case == "client_register_bytes_ok" {
				want = "True" // Python 2's OK is one, too
			}
			require.Equal(t, want, outcome)
		})
		checked++
	}
	require.Equal(t, 36, checked)
}

// ask does what the row's name says and returns the result as Python would show it.
func ask(t *testing.T, ctx context.Context, c *UDPClient, r recorded) string {
	t.Helper()
	show := func(err error, result string) string {
		switch {
		case err == nil:
			return result
		case errors.Is(err, ErrNoAnswer):
			return "ErrNoAnswer"
		case errors.Is(err, ErrListingDisabled):
			return "ErrListingDisabled"
		}
		return err.Error()
	}
	switch {
	case strings.HasPrefix(r.Case, "client_discover"):
		eps, err := c.Discover(ctx, "foo")
		var items []string
		for _, ep := range eps {
			items = append(items, fmt.Sprintf("('%s', %d)", ep.Host, ep.Port))
		}
		return show(err, "("+strings.Join(items, ", ")+")")
	case r.Case == "client_register_ok":
		return show(c.Register(ctx, []string{"FOO", "BAR"}, Endpoint{Port: 18812}), "True")
	case r.Case == "client_register_interface":
		return show(c.Register(ctx, []string{"FOO"}, Endpoint{Host: "127.0.0.1", Port: 18812}), "True")
	case strings.HasPrefix(r.Case, "client_register"):
		return show(c.Register(ctx, []string{"FOO"}, Endpoint{Port: 18812}), "True")
	case r.Case == "client_unregister":
		return show(c.Unregister(ctx, Endpoint{Port: 18812}), "None")
	}
	host := ""
	if r.Case == "client_list_filter" {
		host = "10.0.0.1"
	}
	names, err := c.List(ctx, host)
	var items []string
	for _, name := range names {
		items = append(items, "'"+name+"'")
	}
	return show(err, "("+strings.Join(items, ", ")+")")
}
