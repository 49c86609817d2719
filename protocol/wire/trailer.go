package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
)

// MaxTrailer is the length in bytes of the longest trailer that is written or read, its foot included.
const MaxTrailer = 8 << 10

// trailerMagic ends every trailer. A value may end with the same bytes, so that it marks none by itself.
const trailerMagic = "\xffRMD"

const (
	trailerVersion = 1
	trailerFoot    = 2 + 1 + len(trailerMagic) // length, version, magic
	fieldHead      = 1 + 2                     // tag, length
)

// The tags of fields.
const (
	tagTraceParent = 1
	tagTraceState  = 2
	tagRemaining   = 3
	tagToken       = 4
	tagCancel      = 5
	tagPair        = 6
)

// Trailer is what a message carries behind its value, for a peer that reads it. The package documentation has its form.
// The zero value is the empty trailer, which says that its sender reads trailers.
type Trailer struct {
	// TraceParent and TraceState are the headers of W3C Trace Context; "" if there are none. They are printable ASCII.
	TraceParent, TraceState string
	// Token is a credential for this one request; "" if there is none.
	Token string
	// Pairs are what programs have agreed on among themselves. A name has 1 to 255 bytes.
	Pairs map[string]string
	// Bounded says that the sender of a request waits for the answer for no longer than Remaining, which is not negative.
	Bounded   bool
	Remaining time.Duration
	// Cancels are the numbers of requests that the sender has given up.
	Cancels []int64
}

// IsEmpty reports whether there is nothing in the trailer.
func (t *Trailer) IsEmpty() bool {
	return t.TraceParent == "" && t.TraceState == "" && t.Token == "" && len(t.Pairs) == 0 && !t.Bounded &&
		len(t.Cancels) == 0
}

// AppendTrailer appends a trailer to a complete message. It fails with a *brine.LimitError if the trailer is longer
// than [MaxTrailer], and with a *[FormError] if a peer would not accept what is in it; b is then returned as it was.
func AppendTrailer(b []byte, t *Trailer) ([]byte, error) {
	start := len(b)
	texts := [...]struct {
		tag  byte
		text string
	}{{tagTraceParent, t.TraceParent}, {tagTraceState, t.TraceState}, {tagToken, t.Token}}
	for _, f := range texts {
		if f.text == "" {
			continue
		}
		if !goodText(f.tag, f.text) {
			got := fmt.Sprintf("%q", f.text)
			if f.tag == tagToken {
				got = "another" // it is a secret
			}
			return b[:start], &FormError{What: "text in metadata", Got: got}
		}
		b = append(appendField(b, f.tag, len(f.text)), f.text...)
	}
	if t.Bounded {
		b = appendField(b, tagRemaining, 8)
		b = binary.BigEndian.AppendUint64(b, uint64(max(t.Remaining, 0).Microseconds()))
	}
	for _, n := range t.Cancels {
		b = binary.BigEndian.AppendUint64(appendField(b, tagCancel, 8), uint64(n))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Pairs)) {
		value := t.Pairs[name]
		if len(name) == 0 || len(name) > math.MaxUint8 || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return b[:start], &FormError{What: "a name of 1 to 255 bytes and a text in metadata", Got: fmt.Sprintf("%q", name)}
		}
		b = appendField(b, tagPair, 1+len(name)+len(value))
		b = append(append(append(b, byte(len(name))), name...), value...)
	}
	size := len(b) - start
	if size+trailerFoot > MaxTrailer {
		return b[:start], &brine.LimitError{What: "bytes of metadata", Got: int64(size + trailerFoot), Limit: MaxTrailer}
	}
	b = binary.BigEndian.AppendUint16(b, uint16(size))
	return append(append(b, trailerVersion), trailerMagic...), nil
}

// appendField appends the head of a field. A length that does not fit makes the trailer too long anyway.
func appendField(b []byte, tag byte, size int) []byte {
	return binary.BigEndian.AppendUint16(append(b, tag), uint16(size))
}

// ReadTrailer reads the trailer of a message of a connection with these codecs. It reports false if there is none: if
// the message does not end with the magic, or its value does not end where the trailer begins by its length, or the
// trailer is of another version or malformed.
func (d *Dialect) ReadTrailer(payload []byte, codecs *brine.Codecs) (t Trailer, ok bool) {
	if !bytes.HasSuffix(payload, []byte(trailerMagic)) {
		return t, false
	}
	foot := len(payload) - trailerFoot
	if foot < 0 || payload[foot+2] != trailerVersion {
		return t, false
	}
	size := int(binary.BigEndian.Uint16(payload[foot:]))
	if size > foot || size+trailerFoot > MaxTrailer {
		return t, false
	}
	_, _, body, err := d.ReadHeaderUnchecked(payload)
	if err != nil {
		return t, false
	}
	body.SetDepth(0)
	body.SetCodecs(codecs)
	if body.Skip() != nil || body.Len() != size+trailerFoot {
		return t, false
	}
	for fields := payload[foot-size : foot]; len(fields) > 0; {
		if len(fields) < fieldHead {
			return Trailer{}, false
		}
		tag, n := fields[0], int(binary.BigEndian.Uint16(fields[1:]))
		if fields = fields[fieldHead:]; n > len(fields) || !t.set(tag, fields[:n]) {
			return Trailer{}, false
		}
		fields = fields[n:]
	}
	return t, true
}

// set takes in a field; false if it is malformed. Of fields that there can be one of, the last counts; those of unknown
// tags are for later releases.
func (t *Trailer) set(tag byte, value []byte) bool {
	switch tag {
	case tagTraceParent:
		t.TraceParent = string(value)
		return goodText(tag, t.TraceParent)
	case tagTraceState:
		t.TraceState = string(value)
		return goodText(tag, t.TraceState)
	case tagToken:
		t.Token = string(value)
		return goodText(tag, t.Token)
	case tagRemaining:
		if len(value) != 8 {
			return false
		}
		n := binary.BigEndian.Uint64(value)
		t.Bounded, t.Remaining = true, time.Duration(min(n, uint64(math.MaxInt64/time.Microsecond)))*time.Microsecond
	case tagCancel:
		if len(value) != 8 {
			return false
		}
		t.Cancels = append(t.Cancels, int64(binary.BigEndian.Uint64(value)))
	case tagPair:
		if len(value) == 0 || value[0] == 0 || len(value) < 1+int(value[0]) {
			return false
		}
		name, text := string(value[1:1+int(value[0])]), string(value[1+int(value[0]):])
		if !utf8.ValidString(name) || !utf8.ValidString(text) {
			return false
		}
		if t.Pairs == nil {
			t.Pairs = map[string]string{}
		}
		t.Pairs[name] = text
	}
	return true
}

// goodText reports whether a text may stand in a field: what goes into headers and logs is printable ASCII.
func goodText(tag byte, text string) bool {
	if tag == tagToken {
		return utf8.ValidString(text)
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

// String renders the trailer for people. A token is a secret, of which only the length is shown.
func (t *Trailer) String() string {
	var parts []string
	if t.TraceParent != "" {
		parts = append(parts, "traceparent "+t.TraceParent)
	}
	if t.TraceState != "" {
		parts = append(parts, "tracestate "+t.TraceState)
	}
	if t.Bounded {
		parts = append(parts, "within "+t.Remaining.String())
	}
	if t.Token != "" {
		parts = append(parts, fmt.Sprintf("token of %d bytes", len(t.Token)))
	}
	for _, n := range t.Cancels {
		parts = append(parts, fmt.Sprintf("cancel %d", n))
	}
	for _, name := range slices.Sorted(maps.Keys(t.Pairs)) {
		parts = append(parts, fmt.Sprintf("%q %q", name, t.Pairs[name]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
