package servers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"sync"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport/auth"
	"github.com/gorpyc/gorpyc/protocol/transport/filestate"
)

// Secret is what a peer proves with who it is.
type Secret struct {
	// Name is the peer's name, which [HMAC] is told by the client. [Token] finds it by the token.
	Name string `json:"name"`
	// Keys are the tokens or keys that it may have, of at least 16 bytes each; several while one takes the place of
	// another. A key is the bytes of the text.
	Keys []string `json:"keys"`
	// Attrs become those of the peer's protocol.Identity.
	Attrs map[string][]string `json:"attrs,omitempty"`
}

// String gives the name, and never the keys.
func (s Secret) String() string { return s.Name }

// GoString is String.
func (s Secret) GoString() string { return s.Name }

// minKey is how long a key has to be: one that can be guessed protects nothing.
const minKey = 16

// Secrets are where [Token] and [HMAC] look peers up, for each connection anew. They are asked by several goroutines at
// a time.
type Secrets interface {
	// Secrets returns those that are valid at the moment. An error refuses every peer.
	Secrets() ([]Secret, error)
}

// FixedSecrets are Secrets that do not change. No two have the same name, or a key in common.
type FixedSecrets []Secret

// Secrets returns s.
func (s FixedSecrets) Secrets() ([]Secret, error) { return s, nil }

// SecretsFile has Secrets in a file: a JSON list of objects with "name", "keys" and, if need be, "attrs". It is read
// again when it has changed, so that keys are changed without a restart: the new one is put beside the old one, the
// clients get it, the old one is taken out. No two names or keys may be the same. If the file cannot be used then,
// what was read before stays in use, and OnError is told.
type SecretsFile struct {
	Path string
	// OnError is told that the changed file cannot be used; nil tells nobody.
	OnError func(error)

	mu      sync.Mutex
	read    bool
	state   filestate.State // of what was read
	secrets []Secret
}

// Secrets returns what is in the file.
func (f *SecretsFile) Secrets() ([]Secret, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	err := f.refresh()
	switch {
	case err == nil || !f.read:
		return f.secrets, err
	case f.OnError != nil:
		f.OnError(err)
	}
	return f.secrets, nil
}

// refresh reads the file if it has changed. The lock is held.
func (f *SecretsFile) refresh() error {
	now, err := filestate.Look(f.Path)
	if err != nil {
		return fmt.Errorf("rpyc: secrets: %w", err)
	}
	if now.Unchanged(f.state) {
		return nil
	}
	data, err := os.ReadFile(f.Path)
	if err != nil {
		return fmt.Errorf("rpyc: secrets: %w", err)
	}
	var secrets []Secret
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err = d.Decode(&secrets)
	if _, behind := d.Token(); err != nil || behind != io.EOF {
		return fmt.Errorf("rpyc: secrets: %s is no list of names and keys", f.Path) // JSON's errors may quote a key
	}
	if err := checkSecrets(secrets); err != nil {
		return err
	}
	if err := checkOwners(secrets); err != nil {
		return err
	}
	f.read, f.state, f.secrets = true, now, secrets
	return nil
}

func checkSecrets(all []Secret) error {
	for _, s := range all {
		if s.Name == "" {
			return errors.New("rpyc: secrets: one has no name")
		}
		for _, k := range s.Keys {
			if len(k) < minKey {
				return fmt.Errorf("rpyc: secrets: a key of %q is shorter than %d bytes", s.Name, minKey)
			}
		}
	}
	return nil
}

// checkOwners refuses lists in which it is not clear who somebody is.
func checkOwners(all []Secret) error {
	names, owners := map[string]bool{}, map[string]string{}
	for _, s := range all {
		if names[s.Name] {
			return fmt.Errorf("rpyc: secrets: %q is there twice", s.Name)
		}
		names[s.Name] = true
		for _, k := range s.Keys {
			if owner, taken := owners[k]; taken && owner != s.Name {
				return fmt.Errorf("rpyc: secrets: a key of %q is also one of %q", s.Name, owner)
			}
			owners[k] = s.Name
		}
	}
	return nil
}

// Token asks each client for a token, by the handshake that package auth describes, and identifies it as the one that
// has it. The credentials are a *protocol.Identity of kind "token". Everybody who can read the network can read the
// token, so it belongs into TLS: Chain(TLS(cfg), Token(secrets)).
func Token(secrets Secrets) Authenticator {
	return bySecret("token", secrets, func(conn net.Conn, all []Secret) (who Secret, err error) {
		err = auth.ServeToken(conn, func(token string) (found bool) {
			who, found = ownerOf(token, all)
			return found
		})
		return who, err
	})
}

// ownerOf finds who has a token.
func ownerOf(token string, all []Secret) (who Secret, found bool) {
	given := sha256.Sum256([]byte(token))
	for _, s := range all { // all of them, so that the time does not tell how near a guess was
		for _, k := range s.Keys {
			sum := sha256.Sum256([]byte(k))
			if subtle.ConstantTimeCompare(given[:], sum[:]) == 1 {
				who, found = s, true
			}
		}
	}
	return who, found
}

// CallTokens returns hooks that identify each request by the token beside it (protocol.Metadata.Token), in place of the
// connection's identity: a gateway can so say for whom it calls. A request without a token remains the connection's;
// one with a token that nobody has is of nobody known. Hooks that want to know the identity stand behind them.
func CallTokens(secrets Secrets) protocol.Hooks {
	return protocol.Hooks{Serve: []protocol.ServeHook{&callTokens{secrets: secrets}}}
}

type callTokens struct {
	secrets Secrets

	mu    sync.Mutex
	known map[string]*protocol.Identity // by name, so that there is one for all calls
}

// ServeBegin implements protocol.ServeHook.
func (h *callTokens) ServeBegin(ctx context.Context, _ *protocol.RequestInfo) context.Context {
	m, _ := protocol.MetadataFrom(ctx)
	if m.Token == "" {
		return ctx
	}
	return protocol.WithIdentity(ctx, h.owner(m.Token))
}

// owner is who has a token; nil if nobody is known to. Secrets that panic know nobody: the hook must not fail, which
// would leave the request with the connection's identity.
func (h *callTokens) owner(token string) (id *protocol.Identity) {
	defer func() {
		if recover() != nil {
			id = nil
		}
	}()
	all, err := h.secrets.Secrets()
	if err == nil && checkSecrets(all) == nil {
		if who, found := ownerOf(token, all); found {
			id = h.identity(who)
		}
	}
	return id
}

func (h *callTokens) identity(who Secret) *protocol.Identity {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := h.known[who.Name]
	if id == nil || !maps.EqualFunc(id.Attrs, who.Attrs, slices.Equal) {
		if h.known == nil {
			h.known = map[string]*protocol.Identity{}
		}
		id = &protocol.Identity{Name: who.Name, Kind: "token", Attrs: who.Attrs}
		h.known[who.Name] = id
	}
	return id
}

// ServeEnd implements protocol.ServeHook.
func (*callTokens) ServeEnd(context.Context, *protocol.RequestInfo) {}

// HMAC has each client prove that it has the key of a name, by the handshake that package auth describes. The
// credentials are a *protocol.Identity of kind "hmac". The key stays secret from who reads the network. What follows
// does not, without TLS.
func HMAC(secrets Secrets) Authenticator {
	return bySecret("hmac", secrets, func(conn net.Conn, all []Secret) (who Secret, err error) {
		_, err = auth.ServeHMAC(conn, func(name string) (keys [][]byte) {
			for _, s := range all {
				if s.Name == name {
					who = s
					for _, k := range s.Keys {
						keys = append(keys, []byte(k))
					}
				}
			}
			return keys
		})
		return who, err
	})
}

// bySecret makes an authenticator of a handshake.
func bySecret(kind string, secrets Secrets, ask func(net.Conn, []Secret) (Secret, error)) Authenticator {
	return AuthenticatorFunc(func(_ context.Context, conn net.Conn) (net.Conn, any, error) {
		all, err := secrets.Secrets()
		if err == nil {
			err = checkSecrets(all)
		}
		if err != nil {
			return nil, nil, &AuthenticationError{Reason: "no secrets", Cause: err}
		}
		who, err := ask(conn, all)
		if err != nil {
			linger(conn)
			return nil, nil, &AuthenticationError{Reason: kind, Cause: err}
		}
		return conn, &protocol.Identity{Name: who.Name, Kind: kind, Attrs: who.Attrs}, nil
	})
}
