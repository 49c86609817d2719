package protocol

import (
	"math/big"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// An answer that is a tuple can be far longer than what it was asked for with, and than the memory of its values: a
// list of a million times the same text takes 16 MB, and its tuple a million times the text.

// fit sees to it that an answer is not longer than Limits.Answer when the rest of a tuple has been added to b, and
// makes room for that. It is asked before each item and looks closer when the answer has doubled.
func (m *boxer) fit(b []byte, rest []any) ([]byte, error) {
	have := len(b) + len(m.loan.data)
	if m.room == 0 || have <= m.room || m.full != nil {
		return b, m.full
	}
	limit := m.c.cfg.Limits.Answer
	more := encodedSize(rest, limit)
	n := int64(have) + more
	if n > limit {
		m.full = vinegar.MemoryError.Errorf("the answer is longer than %d bytes", limit)
		return b, m.full
	}
	room := min(max(n, 2*int64(have)), limit)
	if budget := m.c.cfg.Budget; budget != nil && !budget.unread.take(room-m.taken) {
		m.full = vinegar.MemoryError.New("too many answers wait on this server to be read")
		return b, m.full
	}
	m.room, m.taken = int(room), room
	return frame.Extend(b, int(more)), nil
}

// sent gives back what fit has taken of the budget. What has not been written yet is counted by the outbox.
func (m *boxer) sent() {
	if budget := m.c.cfg.Budget; budget != nil && m.taken > 0 {
		budget.unread.give(m.taken)
		m.taken = 0
	}
}

// encodedSize estimates the length of the encoding of values, up to a little more than most: no less than their texts
// and byte strings take.
func encodedSize(items []any, most int64) (n int64) {
	for _, v := range items {
		switch v := v.(type) {
		case string:
			n += int64(len(v))
		case []byte:
			n += int64(len(v))
		case *big.Int:
			n += int64(v.BitLen()) / 3
		case brine.Tuple:
			n += encodedSize(v, most-n)
		case brine.FrozenSet:
			n += encodedSize(v, most-n)
		}
		if n++; n > most {
			break
		}
	}
	return n
}
