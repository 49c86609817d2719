//go:build unix

package modules

// LimitReads makes reads end after n bytes until the returned func is called.
func LimitReads(n int) (restore func()) {
	before := maxRead
	maxRead = n
	return func() { maxRead = before }
}
