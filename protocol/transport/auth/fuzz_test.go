package auth

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// said is a connection whose other end says something and takes whatever it is told.
type said struct {
	io.Reader
	heard bytes.Buffer
}

func (s *said) Write(p []byte) (int, error)    { return s.heard.Write(p) }
func (*said) Close() error                     { return nil }
func (*said) LocalAddr() net.Addr              { return nil }
func (*said) RemoteAddr() net.Addr             { return nil }
func (*said) SetDeadline(time.Time) error      { return nil }
func (*said) SetReadDeadline(time.Time) error  { return nil }
func (*said) SetWriteDeadline(time.Time) error { return nil }

// FuzzHandshakes lets strangers say anything on either side: none of them gets in but with the token, nothing is read
// beyond the longest line, and who is refused is told so.
func FuzzHandshakes(f *testing.F) {
	zeros := strings.Repeat("0", nonceLen)
	for _, seed := range []string{
		"", "\n", "RPYC-TOKEN secret\n", "RPYC-TOKEN secret\nmore", "RPYC-TOKEN  secret\n", "RPYC-TOKEN secreT\n",
		"RPYC-HMAC-SHA256 " + zeros + "\n", "RPYC-HMAC-SHA256 " + zeros + "\nRPYC-OK " + zeros + "\n", "RPYC-OK\n",
		"RPYC-NO \xff\n", "ann " + zeros + " " + zeros + "\n", "ann " + zeros + "\n", "\x00\x00\x00\x05",
		strings.Repeat("x", 2000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, says []byte) {
		for side, shake := range map[string]func(*said) error{
			"token server": func(c *said) error { return ServeToken(c, func(s string) bool { return s == "secret" }) },
			"key server": func(c *said) error {
				_, err := ServeHMAC(c, func(string) [][]byte { return [][]byte{[]byte("key")} })
				return err
			},
			"token client": func(c *said) error { _, err := Token("secret")(t.Context(), c); return err },
			"key client":   func(c *said) error { _, err := HMAC("ann", []byte("key"))(t.Context(), c); return err },
		} {
			r := bytes.NewReader(says)
			c := &said{Reader: r}
			err := shake(c)
			in := side == "token server" && bytes.HasPrefix(says, []byte("RPYC-TOKEN secret\n")) ||
				side == "token client" && bytes.HasPrefix(says, []byte("RPYC-OK\n"))
			if (err == nil) != in {
				t.Fatalf("%s: %v", side, err)
			}
			if read := len(says) - r.Len(); read > 2*maxLine {
				t.Fatalf("%s: read %d bytes", side, read)
			}
			if strings.HasSuffix(side, "server") && err != nil && !strings.Contains(c.heard.String(), noWord) {
				t.Fatalf("%s: not told", side)
			}
		}
	})
}
