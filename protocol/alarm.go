package protocol

import (
	"net"
	"sync"
	"syscall"
	"time"
)

// alarm rings once, some time after it was set. It may be set again, by the ringer too, which must not block.
//
// A pending timer costs every exchange of messages more than a microsecond, because the scheduler looks at the clock
// whenever it has nothing to do, and waits for the network with a limit. So the alarms of connections over descriptors
// are set off by the pulse, which waits for a descriptor of its own. Those of other connections, such as pipes in
// memory, are timers: in a synctest bubble they must be the bubble's.
type alarm struct {
	to     ringer
	pulsed bool
	mu     sync.Mutex // guards timer: the ringer may set the alarm before set has returned
	timer  *time.Timer
	due    uint64 // the beat it is due at, guarded by the pulse
}

// beat is the pulse's period. Alarms that it sets off come up to one beat early; shorter ones are timers.
const beat = 25 * time.Millisecond

// ringer is what an alarm calls. It is no func because those of a connection's methods would have to be allocated.
type ringer interface{ ring() }

// The alarms of a connection.
type (
	watchAlarm  Conn
	expiryAlarm Conn
)

func (a *watchAlarm) ring()  { (*Conn)(a).watch() }
func (a *expiryAlarm) ring() { (*Conn)(a).expire() }

func (a *alarm) init(pulsed bool, to ringer) { a.pulsed, a.to = pulsed, to }

// set has the func called after d, in place of an earlier time.
func (a *alarm) set(d time.Duration) {
	if a.pulsed && d >= 2*beat {
		thePulse.add(a, uint64(d/beat))
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer == nil {
		a.timer = time.AfterFunc(d, a.to.ring)
	} else {
		a.timer.Reset(d)
	}
}

// stop drops what was set, unless the func is being called.
func (a *alarm) stop() {
	if a.pulsed {
		thePulse.remove(a)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
	}
}

// overDescriptor reports whether a stream comes over a descriptor of the operating system.
func overDescriptor(stream any) bool {
	if _, ok := stream.(syscall.Conn); ok {
		return true
	}
	c, ok := stream.(interface{ NetConn() net.Conn })
	return ok && overDescriptor(c.NetConn())
}

// pulse sets off the alarms of all connections of the process. It beats while there are any.
type pulse struct {
	mu      sync.Mutex
	alarms  map[*alarm]struct{}
	now     uint64 // beats so far
	beating bool
}

var thePulse = pulse{alarms: make(map[*alarm]struct{})}

func (p *pulse) add(a *alarm, beats uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.due = p.now + beats
	p.alarms[a] = struct{}{}
	if !p.beating {
		p.beating = true
		go p.run()
	}
}

func (p *pulse) remove(a *alarm) {
	p.mu.Lock()
	delete(p.alarms, a)
	p.mu.Unlock()
}

func (p *pulse) run() {
	s := newSource(beat)
	defer s.close()
	var due []*alarm
	for {
		n := s.wait()
		p.mu.Lock()
		p.now += n
		for a := range p.alarms {
			if a.due <= p.now {
				delete(p.alarms, a)
				due = append(due, a)
			}
		}
		p.mu.Unlock()
		for _, a := range due {
			a.to.ring()
		}
		clear(due)
		due = due[:0]
		p.mu.Lock()
		if len(p.alarms) == 0 {
			p.beating = false
			p.mu.Unlock()
			return
		}
		p.mu.Unlock()
	}
}

// source is what makes a pulse beat.
type source interface {
	wait() uint64 // waits for the next beat and returns how many there have been since the last
	close()
}

// ticker is the source where there is no other.
type ticker struct{ *time.Ticker }

func (t ticker) wait() uint64 { <-t.C; return 1 }

func (t ticker) close() { t.Stop() }
