package main

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"sync"
)

var payloads sync.Map // of []byte, by kind and size

type payloadKey struct {
	kind string
	size int
}

// payload is size bytes that do not compress.
func payload(size int) []byte { return payloadOf("random", size) }

// payloadOf makes bytes of a kind: random, zeros or text. They are shared and must not be changed.
func payloadOf(kind string, size int) []byte {
	key := payloadKey{kind, size}
	if b, ok := payloads.Load(key); ok {
		return b.([]byte)
	}
	b := make([]byte, size)
	switch kind {
	case "random":
		var seed [32]byte
		_, _ = rand.NewChaCha8(seed).Read(b)
	case "text":
		b = text(size)
	}
	payloads.Store(key, b)
	return b
}

// text is words in a random order.
func text(size int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	words := make([]string, 2000)
	for i := range words {
		var w strings.Builder
		for range 2 + r.IntN(8) {
			w.WriteByte(byte('a' + r.IntN(26)))
		}
		words[i] = w.String()
	}
	var b bytes.Buffer
	for b.Len() < size {
		b.WriteString(words[r.IntN(len(words))])
		b.WriteByte(' ')
	}
	return b.Bytes()[:size]
}
