// Package auth has two handshakes by which a client says who it is before RPyC begins: with a token, which is a
// password, or by proving that it has a key. RPyC has none of its own; docs/rpyc_auth.py has both sides for its
// programs. The server's side is [ServeToken] and [ServeHMAC], which package servers makes authenticators of. The
// client's is [Token] and [HMAC], which go into transport.Options.Handshake.
//
// # On the wire
//
// Both sides send lines of ASCII that end with "\n" and are 1024 bytes long at most; fields have one space between.
// Neither side reads beyond a line that it waits for. With a token:
//
//	client  RPYC-TOKEN token
//	server  RPYC-OK, or RPYC-NO reason, after which it hangs up
//
// With a key, which never crosses the network, and which the server has to have as well:
//
//	server  RPYC-HMAC-SHA256 N        N, and M below, are 32 random bytes in hexadecimal
//	client  name M proof("client")
//	server  RPYC-OK proof("server"), or RPYC-NO reason, after which it hangs up
//
// proof(side) is HMAC-SHA256, in hexadecimal, of "RPYC-HMAC-SHA256 side N M name" under the key. A name is 1 to 255
// bytes of UTF-8 without spaces and control characters; so is a token, of up to 1000.
//
// Neither protects what follows. A token can be read by whoever reads the network, and whoever can change what is on it
// can take over a connection that was authenticated either way. Over TLS neither is possible.
package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	tokenWord = "RPYC-TOKEN"
	hmacWord  = "RPYC-HMAC-SHA256"
	okWord    = "RPYC-OK"
	noWord    = "RPYC-NO"

	maxLine  = 1024
	maxName  = 255
	maxToken = 1000
	nonceLen = 2 * sha256.Size // in hexadecimal
)

// RefusedError says that the server has refused a client's token or proof.
type RefusedError struct{ Reason string }

// Error implements error.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("rpyc: the server refused this client: %q", e.Reason)
}

// FormError says that the other end does not follow the handshake: it may not ask for one, or for another.
type FormError struct{ What string }

// Error implements error.
func (e *FormError) Error() string { return "rpyc: handshake: " + e.What }

// Token is the client's side of the handshake with a token.
func Token(token string) func(context.Context, net.Conn) (net.Conn, error) {
	return func(_ context.Context, c net.Conn) (net.Conn, error) {
		if !isWord(token, maxToken) {
			return nil, &FormError{What: "a token has 1 to 1000 bytes, without spaces and control characters"}
		}
		if _, err := c.Write([]byte(tokenWord + " " + token + "\n")); err != nil {
			return nil, err
		}
		_, err := answer(c, 1)
		return c, err
	}
}

// HMAC is the client's side of the handshake with a key. It makes sure that the server has the key, too.
func HMAC(name string, key []byte) func(context.Context, net.Conn) (net.Conn, error) {
	return func(_ context.Context, c net.Conn) (net.Conn, error) {
		if !isWord(name, maxName) {
			return nil, &FormError{What: "a name has 1 to 255 bytes, without spaces and control characters"}
		}
		fields, err := readLine(c)
		if err != nil {
			return nil, fmt.Errorf("rpyc: the server's challenge: %w", err)
		}
		if len(fields) != 2 || fields[0] != hmacWord || !isNonce(fields[1]) {
			return nil, &FormError{What: "the server asks for no key"}
		}
		theirs, ours := fields[1], nonce()
		line := strings.Join([]string{name, ours, proof(key, "client", theirs, ours, name)}, " ")
		if _, err := c.Write([]byte(line + "\n")); err != nil {
			return nil, err
		}
		if fields, err = answer(c, 2); err != nil {
			return nil, err
		}
		if !hmac.Equal([]byte(fields[1]), []byte(proof(key, "server", theirs, ours, name))) {
			return nil, &FormError{What: "the server has accepted this client without having its key"}
		}
		return c, nil
	}
}

// answer reads the server's last line, of n fields if it accepts.
func answer(c net.Conn, n int) ([]string, error) {
	fields, err := readLine(c)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("rpyc: the server hung up on the handshake, it may not ask for one: %w", err)
	case err != nil:
		return nil, fmt.Errorf("rpyc: the server's answer to the handshake: %w", err)
	case fields[0] == noWord:
		return nil, &RefusedError{Reason: strings.Join(fields[1:], " ")}
	case fields[0] == hmacWord:
		return nil, &FormError{What: "the server asks for a key, not for a token"}
	case fields[0] != okWord || len(fields) != n:
		return nil, &FormError{What: "the server does not answer as expected"}
	}
	return fields, nil
}

// ServeToken is the server's side of the handshake with a token, of which check decides. check must not take longer for
// a token that is nearly right. A client that is refused is told so; the caller closes the connection.
func ServeToken(c net.Conn, check func(token string) bool) error {
	fields, err := readLine(c)
	if err == nil && (len(fields) != 2 || fields[0] != tokenWord || !isWord(fields[1], maxToken)) {
		err = &FormError{What: "the client says no token"}
	}
	switch {
	case err != nil:
		return refuse(c, "a token is needed", err)
	case !check(fields[1]):
		return refuse(c, "unknown token", errors.New("unknown token"))
	}
	_, err = c.Write([]byte(okWord + "\n"))
	return err
}

// ServeHMAC is the server's side of the handshake with a key. keys returns the keys of a name, of which the client has
// to have one: none if the name is unknown, several while one takes the place of another. A client that is refused is
// told so; the caller closes the connection.
func ServeHMAC(c net.Conn, keys func(name string) [][]byte) (name string, err error) {
	ours := nonce()
	if _, err := c.Write([]byte(hmacWord + " " + ours + "\n")); err != nil {
		return "", err
	}
	fields, err := readLine(c)
	if err == nil && (len(fields) != 3 || !isWord(fields[0], maxName) || !isNonce(fields[1])) {
		err = &FormError{What: "the client gives no proof"}
	}
	if err != nil {
		return "", refuse(c, "a proof is needed", err)
	}
	name, theirs, given := fields[0], fields[1], []byte(fields[2])
	known := keys(name)
	if len(known) == 0 {
		known = [][]byte{[]byte(nonce())} // it takes as long to refuse a name as a proof
	}
	var key []byte
	for _, k := range known {
		if hmac.Equal(given, []byte(proof(k, "client", ours, theirs, name))) {
			key = k
		}
	}
	if key == nil {
		return "", refuse(c, "unknown name or wrong key", fmt.Errorf("unknown name or wrong key: %q", name))
	}
	_, err = c.Write([]byte(okWord + " " + proof(key, "server", ours, theirs, name) + "\n"))
	return name, err
}

// refuse tells the client why, and returns the reason for the log.
func refuse(c net.Conn, reason string, err error) error {
	_, _ = c.Write([]byte(noWord + " " + reason + "\n"))
	return err
}

func proof(key []byte, side, server, client, name string) string {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(strings.Join([]string{hmacWord, side, server, client, name}, " ")))
	return hex.EncodeToString(mac.Sum(nil))
}

func nonce() string {
	var b [nonceLen / 2]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

func isNonce(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == nonceLen/2
}

// isWord reports whether s can be a field of a line.
func isWord(s string, most int) bool {
	return s != "" && len(s) <= most && utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	})
}

// readLine reads a line, and not a byte more, and returns its fields, of which there is at least one. Bytes that no
// line has, such as those with which a message of RPyC begins, are an error at once.
func readLine(c net.Conn) ([]string, error) {
	line := make([]byte, 0, 256)
	for {
		b := line[len(line) : len(line)+1]
		if _, err := io.ReadFull(c, b); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		switch {
		case b[0] == '\n' && len(line) > 0:
			return strings.Split(string(line), " "), nil
		case b[0] < ' ':
			return nil, &FormError{What: "the other end does not begin with a line of text: " +
				"it may speak TLS, or RPyC without a handshake before"}
		case len(line) == maxLine-1:
			return nil, &FormError{What: fmt.Sprintf("a line is longer than %d bytes", maxLine)}
		}
		line = append(line, b[0])
		if len(line) == cap(line) {
			line = append(line, 0)[:len(line)]
		}
	}
}
