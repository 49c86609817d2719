package protocol

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/gorpyc/gorpyc/protocol/frame"
)

// loan is a long byte string of a message that is not copied into the frame but written from where it stands. It is
// used until the message has been sent, and not after: its owner may change it then.
type loan struct {
	at   int    // where it belongs in the frame
	data []byte // nil if there is none
}

// lendMin is the shortest byte string that is lent. Of a shorter one, a copy costs less than two writes more, and the
// peer less than two reads more.
const lendMin = 1 << 20

// lends reports whether messages may have loans.
func (c *Conn) lends() bool { return !c.out.onePerWrite && !c.cfg.Compress && c.trace == nil }

// unlend forgets what was lent since lends was the boxer's: it is encoded again.
func (m *boxer) unlend(lends bool) {
	if lends {
		m.lends, m.loan = true, loan{}
	}
}

// repay copies the loan into the frame.
func (s *scratch) repay() {
	s.b, s.loan = s.loan.join(s.b, 0), loan{}
}

// join copies what stands behind the first n bytes of a frame with the loan.
func (l loan) join(f []byte, n int) []byte {
	b := frame.NewLong(len(f) + len(l.data) - n)
	for _, part := range [][]byte{f[:l.at], l.data, f[l.at:]} {
		skip := min(n, len(part))
		b, n = append(b, part[skip:]...), n-skip
	}
	return b
}

// sendLent writes a frame with a loan if that is possible at once; otherwise written is false. It waits until it is
// written, or until ctx has ended: what is left is copied then, and written by a goroutine.
func (o *outbox) sendLent(ctx context.Context, f []byte, l loan, mode sendMode) (written bool, err error) {
	o.mu.Lock()
	if mode > sendGather || o.closed || o.writing || len(o.queue) > 0 || o.mayHold(ctx, len(l.data)) {
		o.mu.Unlock()
		return false, nil
	}
	o.writing = true
	o.beginWrite()
	o.mu.Unlock()
	goOn := o.interrupt(ctx)
	n, err := o.writeLent(f, l)
	interrupted := goOn() && errors.Is(err, os.ErrDeadlineExceeded)
	if err != nil && !interrupted {
		o.c.die(err)
	}
	o.mu.Lock()
	if interrupted {
		o.flushRest([][]byte{l.join(f, n)})
		return true, nil
	}
	return true, o.drain(true)
}

// interrupt has the end of ctx interrupt writes, until the func it returns is called, which reports whether it has.
func (o *outbox) interrupt(ctx context.Context) (goOn func() bool) {
	s, ok := o.c.stream.(interface{ SetWriteDeadline(time.Time) error })
	if !ok || o.tryWriter == nil || ctx.Done() == nil {
		return func() bool { return false }
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = s.SetWriteDeadline(time.Unix(1, 0))
	})
	return func() bool {
		if stop() {
			return false
		}
		<-done
		_ = s.SetWriteDeadline(time.Time{})
		return true
	}
}

// writeLent writes a frame with a loan, and returns how much of it has been written. The ends of the loan are copied
// and written with what stands around it, so that no write is short.
func (o *outbox) writeLent(f []byte, l loan) (written int, err error) {
	chunk := chunks.Get().(*[chunkSize]byte)
	defer chunks.Put(chunk)
	head, tail, data := f[:l.at], f[l.at:], l.data
	n := copy(chunk[copy(chunk[:], head):], data)
	if written, err = o.write(chunk[:]); err != nil {
		return written, err
	}
	data = data[n:]
	last := tail
	if room := chunkSize - len(tail); room > 0 {
		last = append(append(chunk[:0], data[len(data)-room:]...), tail...)
		data = data[:len(data)-room]
	}
	for _, b := range [][]byte{data, last} {
		n, err = o.write(b)
		if written += n; err != nil {
			break
		}
	}
	return written, err
}
