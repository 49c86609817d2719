package servers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// probePatience is how long a client may take to begin an HTTP request: whoever sends one sends it at once.
	probePatience = 200 * time.Millisecond
	// probeTimeout bounds a request and its answer, maxProbe the length of the request.
	probeTimeout = 5 * time.Second
	maxProbe     = 8 << 10
	// probeMemory is how long an answer to /readyz is good for others: anybody can ask, and checks cost something.
	probeMemory = time.Second
)

// probes remembers whether the server is ready.
type probes struct {
	mu    sync.Mutex
	at    time.Time
	ready bool
}

// answerProbe reads and answers an HTTP request, if the client begins with one, and reports whether it has.
func (s *Server) answerProbe(ctx context.Context, conn net.Conn) bool {
	var head [len("HEAD /")]byte
	begin := string(head[:peek(conn, head[:], probePatience)])
	if !strings.HasPrefix(begin, "GET /") && !strings.HasPrefix(begin, "HEAD /") {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(probeTimeout))
	req, err := http.ReadRequest(bufio.NewReader(io.LimitReader(conn, maxProbe)))
	if err != nil {
		s.log().Info("refused", "peer", peerName(conn), "reason", err)
		return true
	}
	code, text := http.StatusNotFound, "this is an RPyC server"
	switch req.URL.Path {
	case "/healthz":
		code, text = http.StatusOK, "ok"
	case "/readyz":
		code, text = http.StatusServiceUnavailable, "not ready"
		if s.readyFor(ctx) {
			code, text = http.StatusOK, "ok"
		}
	}
	answer := fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n"+
		"Content-Length: %d\r\nConnection: close\r\n\r\n", code, http.StatusText(code), len(text)+1)
	if req.Method != http.MethodHead {
		answer += text + "\n"
	}
	if _, err := io.WriteString(conn, answer); err == nil {
		linger(conn)
	}
	return true
}

// readyFor reports whether the server is ready, as of a second ago at most.
func (s *Server) readyFor(ctx context.Context) bool {
	s.probes.mu.Lock()
	defer s.probes.mu.Unlock()
	if s.isLeaving() {
		return false
	}
	if time.Since(s.probes.at) > probeMemory {
		s.probes.ready = len(s.unready(ctx)) == 0
		s.probes.at = time.Now()
	}
	return s.probes.ready
}
