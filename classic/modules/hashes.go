//go:build unix

package modules

import (
	"context"
	"crypto/md5" //nolint:gosec // Python has it
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // Python has it
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"strings"
	"sync"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var algorithms = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha224": sha256.New224, "sha256": sha256.New, "sha384": sha512.New384,
	"sha512":   sha512.New,
	"sha3_224": func() hash.Hash { return sha3.New224() }, "sha3_256": func() hash.Hash { return sha3.New256() },
	"sha3_384": func() hash.Hash { return sha3.New384() }, "sha3_512": func() hash.Hash { return sha3.New512() },
}

// hasher is an object of hashlib: what was hashed is kept by the hash alone.
type hasher struct {
	mu   sync.Mutex
	name string
	h    hash.Hash
}

func (h *hasher) digest() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.h.Sum(nil)
}

func (h *hasher) update(ctx context.Context, data any) error {
	if _, text := data.(string); text {
		return vinegar.TypeError.New("Strings must be encoded before hashing")
	}
	b, err := bytesOf(ctx, data)
	if err != nil {
		return vinegar.TypeError.New("object supporting the buffer API required")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err = h.h.Write(b)
	return err
}

var _ = exposed.Register[hasher](exposed.ClassOptions{
	Name: "_hashlib.HASH",
	Properties: map[string]exposed.Property{
		"name":        {Hidden: true, Get: func(h *hasher) string { return h.name }},
		"digest_size": {Hidden: true, Get: func(h *hasher) int { return h.h.Size() }},
		"block_size":  {Hidden: true, Get: func(h *hasher) int { return h.h.BlockSize() }},
	},
	Hidden: map[string]any{
		"update": exposed.Func(func(h *hasher, ctx context.Context, data any) error {
			return h.update(ctx, data)
		}, "data", "/"),
		"digest":    (*hasher).digest,
		"hexdigest": func(h *hasher) string { return hex.EncodeToString(h.digest()) },
		"copy": func(h *hasher) (*hasher, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			c, ok := h.h.(hash.Cloner)
			if !ok {
				return nil, vinegar.NotImplementedError.Errorf("%s objects cannot be copied by this server", h.name)
			}
			d, err := c.Clone()
			return &hasher{name: h.name, h: d}, err
		},
		"__repr__": func(h *hasher) string { return "<" + h.name + " _hashlib.HASH object>" },
	},
})

func newHashlib(*Interpreter) *Module {
	m := New("hashlib", "hashlib module - A common interface to many hash functions.")
	known := exposed.NewSet()
	create := func(ctx context.Context, name string, data any) (*hasher, error) {
		made := algorithms[strings.ReplaceAll(strings.ToLower(name), "-", "_")]
		if made == nil {
			return nil, vinegar.ValueError.New("unsupported hash type " + name)
		}
		h := &hasher{name: strings.ToLower(name), h: made()}
		if b, ok := data.([]byte); ok && len(b) == 0 {
			return h, nil
		}
		return h, h.update(ctx, data)
	}
	for name := range algorithms {
		_ = known.Add(background, name) // a str is hashable
		m.Def(name, func(ctx context.Context, data any, _ bool) (*hasher, error) {
			return create(ctx, name, data)
		}, "string=b''", "*", "usedforsecurity=True")
	}
	m.Def("new", func(ctx context.Context, name string, data any, _ bool) (*hasher, error) {
		return create(ctx, name, data)
	}, "name", "data=b''", "*", "usedforsecurity=True")
	m.Const("algorithms_available", known, "algorithms_guaranteed", known)
	m.Def("pbkdf2_hmac", func(name string, password, salt []byte, iterations int, size *int) ([]byte, error) {
		made := algorithms[strings.ToLower(name)]
		switch {
		case made == nil:
			return nil, vinegar.ValueError.New("unsupported hash type " + name)
		case iterations < 1:
			return nil, vinegar.ValueError.New("iteration value must be greater than 0.")
		case iterations > 1<<26:
			return nil, vinegar.OverflowError.New("iteration value is too great.")
		}
		n := made().Size()
		if size != nil {
			n = *size
		}
		if n < 1 || n > 1<<20 {
			return nil, vinegar.ValueError.New("key length must be greater than 0.")
		}
		return pbkdf2.Key(made, string(password), salt, iterations, n)
	}, "hash_name", "password", "salt", "iterations", "dklen=None")
	return m
}
