// Package rpyctest helps to test programs that use RPyC: a client against a server that says what the test wants
// ([Peer]), or what a real one has said when gorpyc tap was listening ([Play]); both ends against a stream that fails
// ([Pair]); and either for references that are not given back ([NoLeaks]).
//
//	func TestPrice(t *testing.T) {
//		p := rpyctest.NewPeer(t)
//		p.Expect("price", "tea").Return(2.5)
//		p.Expect("price", "pot").Raise(vinegar.KeyError.New("pot"))
//		p.Expect("price", "cup").HangUp()
//		conn, err := protocol.Dial(t.Context(), "tcp", p.Addr(), nil)
//		…
//	}
//
// What was not expected, and what was expected and has not come, fails the test.
//
// Servers in Go are tested from Python with pytest_gorpyc.py, which lies beside this file and needs nothing else: a
// fixture builds and starts the program, and connects.
package rpyctest
